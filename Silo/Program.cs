using Mirubato.Gateway;
using Mirubato.Grains;
using Mirubato.Silo;

return args is ["--bump-epochs", .. var rest]
    ? await GatewayHost.Administer(
        rest, SiloHost.Compose, Administration.BumpEpochs, "users have a new epoch; their devices resynchronize.")
    : await SiloHost.Run(args);
