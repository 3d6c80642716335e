using Mirubato.Cli;

return await MirubatoCommand.Run(args, Console.Out, Console.Error);
