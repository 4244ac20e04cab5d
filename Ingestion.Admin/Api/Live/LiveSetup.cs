using Ingestion.Admin.Api.Families;

namespace Ingestion.Admin.Api.Live;

/// <summary>Connections that stay open: streams of events and sockets.</summary>
internal static class LiveSetup
{
    /// <summary>A peer that answers no ping is gone, whatever its network says.</summary>
    public static WebSocketOptions Sockets { get; } = new() { KeepAliveInterval = TimeSpan.FromSeconds(20), KeepAliveTimeout = TimeSpan.FromSeconds(20) };

    public static WebApplicationBuilder AddLive(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LiveSources>().AddSingleton<LiveBatches>().AddSingleton<LiveCallers>().AddSingleton<EventStream>();
        builder.Services.AddSingleton<JobAnswers>().AddSingleton<JobSockets>();
        return builder;
    }
}
