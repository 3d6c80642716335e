/** A state machine as data: for each state and event, the next state and what to do on the way. The type makes every table total. */
export type Table<S extends string, E extends string, A extends string> = {
  readonly [state in S]: { readonly [event in E]: readonly [S, ...A[]] };
};

/** A state that moves as its table says. Moving comes first, acting second: an action may fire the next event. */
export class Machine<S extends string, E extends string, A extends string> {
  constructor(
    private readonly table: Table<S, E, A>,
    public state: S,
    private readonly act: (action: A) => void,
    private readonly moved: () => void = () => {},
  ) {}

  fire(event: E): void {
    const [next, ...actions] = this.table[this.state][event];
    const moves = next !== this.state;
    this.state = next;
    if (moves) this.moved();
    for (const action of actions) this.act(action);
  }
}
