using Mirubato.Gateway;
using Mirubato.Grains.Local;

return await GatewayHost.Run(args, builder =>
{
    // The engine: one coordinator per active user, in this process, over the configured store.
    var options = builder.Options();
    builder.Services.AddLocalEngine(options.Storage.Postgres, options.Storage.SqlitePath, options.Quotas);
});
