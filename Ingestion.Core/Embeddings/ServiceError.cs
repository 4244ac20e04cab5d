using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ingestion.Core.Embeddings;

/// <summary>What a service says about its own failure. Understands <c>{"error":{message,type,code}}</c>, <c>{"error":"…"}</c>, <c>{"message":…}</c> and <c>{"detail":"…"}</c>.</summary>
internal sealed partial record ServiceError(string Message, string Type, string Code)
{
    private const int MaxShown = 200;

    private static readonly ServiceError Unknown = new("", "", "");

    public bool IsQuota => Says("insufficient_quota") || Says("billing_hard_limit_reached") || Says("billing_not_active");

    public bool IsThrottle => Says("rate_limit_exceeded") || Says("rate_limit_error") || Says("requests") || Says("tokens");

    public bool IsTooLong => Says("context_length_exceeded")
        || Message.Contains("context length", StringComparison.OrdinalIgnoreCase)
        || Message.Contains("maximum input length", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whatever cannot be read says nothing; the status then speaks alone.</summary>
    public static ServiceError Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            if (!JsonDocument.TryParseValue(ref reader, out var document)) return Unknown;
            using (document) return Read(document.RootElement);
        }
        catch (JsonException)
        {
            return Unknown;
        }
    }

    /// <summary>The message as a person may see it: one line, cut, without anything that looks like a key.</summary>
    public string Shown(string? apiKey)
    {
        // Cut first: the patterns then never see more than a page.
        var text = Message.Length <= 2000 ? Message : Message[..2000];
        if (!string.IsNullOrWhiteSpace(apiKey)) text = text.Replace(apiKey.Trim(), "***", StringComparison.Ordinal);
        text = BearerPattern.Replace(text, "***");
        text = KeyPattern.Replace(text, "***");
        text = BlankPattern.Replace(text, " ").Trim().TrimEnd('.');
        return text.Length <= MaxShown ? text : text[..(char.IsHighSurrogate(text[MaxShown - 1]) ? MaxShown - 1 : MaxShown)] + "…";
    }

    private bool Says(string word) => string.Equals(Code, word, StringComparison.OrdinalIgnoreCase) || string.Equals(Type, word, StringComparison.OrdinalIgnoreCase);

    private static ServiceError Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return Unknown;
        if (root.TryGetProperty("error", out var error))
        {
            if (error.ValueKind == JsonValueKind.String) return Unknown with { Message = Text(root, "error") };
            if (error.ValueKind == JsonValueKind.Object) root = error;
        }
        var message = Text(root, "message");
        return new ServiceError(message.Length > 0 ? message : Text(root, "detail"), Text(root, "type"), Text(root, "code"));
    }

    private static string Text(JsonElement parent, string name)
    {
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String) return "";
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, escaped: valid JSON, but no text.
            return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(value.GetRawText()));
        }
    }

    [GeneratedRegex(@"\bBearer\s+\S+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 250)]
    private static partial Regex BearerPattern { get; }

    /// <summary>Prefixed keys, masked ones too, and any long run that holds both letters and digits.</summary>
    [GeneratedRegex(@"\b(?:sk|pk|rk|org|proj)[-_][\w*.-]{4,}|(?=[A-Za-z_*-]{0,80}[0-9])(?=[0-9_*-]{0,80}[A-Za-z])[A-Za-z0-9_*-]{24,}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 250)]
    private static partial Regex KeyPattern { get; }

    [GeneratedRegex(@"[\s\p{C}]+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 250)]
    private static partial Regex BlankPattern { get; }
}
