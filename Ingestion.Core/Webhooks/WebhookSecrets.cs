namespace Ingestion.Core.Webhooks;

/// <summary>Under which names the secrets of endpoints lie in the box.</summary>
internal static class WebhookSecrets
{
    public const string Prefix = "webhook/";
    public const string Previous = "/previous";

    public static string Of(string endpoint) => Prefix + endpoint;

    public static string PreviousOf(string endpoint) => Prefix + endpoint + Previous;
}
