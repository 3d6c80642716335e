using System.Runtime.InteropServices;

namespace Mirubato.Tests.Faults;

/// <summary>What a process can be told from outside.</summary>
internal enum Signal
{
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

internal static class Signals
{
    public static void Send(int process, Signal signal)
    {
        if (OperatingSystem.IsMacOS()) signal = signal switch { Signal.Continue => (Signal)19, Signal.Stop => (Signal)17, _ => signal };
        if (Kill(process, (int)signal) != 0)
        {
            throw new InvalidOperationException($"Process {process} did not take {signal}: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    public static bool Lives(int process) => Kill(process, 0) == 0;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Kill(int process, int signal);
}
