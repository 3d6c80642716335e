using Mirubato.Gateway;
using Mirubato.Grains.Local;

return args is ["--bump-epochs", .. var rest]
    ? await GatewayHost.Administer(rest, AddEngine, Administration.BumpEpochs, "users have a new epoch; their devices resynchronize.")
    : await GatewayHost.Run(args, AddEngine);

// The engine: one coordinator per active user, in this process, over the configured store.
static void AddEngine(WebApplicationBuilder builder)
{
    var options = builder.Options();
    builder.Services.AddLocalEngine(options.Storage.Postgres, options.Storage.SqlitePath, options.Quotas);
}
