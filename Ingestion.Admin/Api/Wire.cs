using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ingestion.Admin.Api;

/// <summary>How our own routes write JSON: names in snake case, times in UTC to the second as <c>2024-01-15T10:30:00Z</c>.</summary>
internal static class Wire
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new UtcSeconds() },
    };

    public static IResult Answer(object value, int status = StatusCodes.Status200OK) => Results.Json(value, Json, statusCode: status);

    public static IResult Refuse(int status, string detail) => Results.Problem(detail, statusCode: status);

    private sealed class UtcSeconds : JsonConverter<DateTimeOffset>
    {
        private const string Format = "yyyy-MM-ddTHH:mm:ssZ";

        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture));
    }
}
