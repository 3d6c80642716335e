/** A state machine as data: for each state and event, the next state and what to do on the way. The type makes every table total. */
export type TransitionTable<S extends string, E extends string, A extends string> = {
  readonly [state in S]: { readonly [event in E]: readonly [S, ...A[]] };
};

/** Runs a transition table. The state changes before the actions run, because an action may fire the next event. */
export class StateMachine<S extends string, E extends string, A extends string> {
  constructor(
    private readonly table: TransitionTable<S, E, A>,
    public state: S,
    private readonly perform: (action: A) => void,
    private readonly onTransition: () => void = () => {},
  ) {}

  fire(event: E): void {
    const [next, ...actions] = this.table[this.state][event];
    const moves = next !== this.state;
    this.state = next;
    if (moves) this.onTransition();
    for (const action of actions) this.perform(action);
  }
}
