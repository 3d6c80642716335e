using Mirubato.Gateway;

return await GatewayHost.Run(args, builder =>
{
    // The engine: one coordinator per active user, in this process, over the configured store.
    var options = builder.Options();
    builder.Services.AddLocalEngine(options.Storage, options.Quotas);
});
