using System.Text.Json.Nodes;

namespace Ingestion.Core.Pipeline;

/// <summary>What the event of an act tells besides its kind: who asked, why if they said, and how many it hit.</summary>
internal static class ActData
{
    public static string Json(Actor actor, params ReadOnlySpan<(string Name, int Value)> figures)
    {
        var data = new JsonObject { ["by"] = actor.DisplayName ?? actor.Name };
        if (actor.Reason is { } reason) data["reason"] = reason;
        foreach (var (name, value) in figures) data[name] = value;
        return data.ToJsonString();
    }
}
