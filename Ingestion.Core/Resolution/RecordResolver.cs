namespace Ingestion.Core.Resolution;

/// <summary>Fields of one document, and what came of them together.</summary>
/// <param name="Confidence">The least sure of its links, 0 for one without any; null where nothing had to be linked.</param>
/// <param name="Accepted">Every link is sure enough, nothing required is missing, and nothing contradicts.</param>
/// <param name="Refused">The reason why the thresholds turn the document away; null where they do not.</param>
public sealed record ResolvedRecord(IReadOnlyList<ResolvedField> Fields, double? Confidence, bool Accepted, string? Refused)
{
    public bool HasConflict => Fields.Any(f => f.Conflict);
}

/// <summary>Makes a record of what rules found and lists know. Pure: the same sources and lists give the same record.</summary>
public static class RecordResolver
{
    public static ResolvedRecord Resolve(FieldExtractor extractor, RecordSources sources, IReadOnlyDictionary<string, (ListVersion List, ReferenceIndex Index)> lists)
    {
        var fields = extractor.Type.Fields.Select(f => Field(f, extractor, sources, lists)).ToList();
        return Judge(extractor.Type, fields);
    }

    /// <summary>What fields amount to by the thresholds of their type.</summary>
    public static ResolvedRecord Judge(RecordType type, IReadOnlyList<ResolvedField> fields)
    {
        var (accepted, confidence, refused) = (true, (double?)null, (string?)null);
        foreach (var (field, spec) in fields.Join(type.Fields, f => f.Name, s => s.Name, (f, s) => (f, s)))
        {
            if (field.State == FieldState.Empty)
            {
                accepted &= !spec.Required;
                continue;
            }
            if (field.Kind != FieldKind.Entity) continue;
            var (matcher, sure) = (type.MatcherOf(spec.EntityType!), field.Confidence ?? 0);
            confidence = Math.Min(confidence ?? 1, sure);
            accepted &= field is { State: FieldState.Linked or FieldState.Picked, Conflict: false };
            if (field.State != FieldState.NoList && sure < matcher.Reject) refused ??= $"“{field.Found?.Value}” is no {spec.EntityType} that is known, surely enough ({sure:0.00} is below {matcher.Reject:0.00}).";
        }
        return new(fields, confidence, accepted, refused);
    }

    private static ResolvedField Field(RecordField field, FieldExtractor extractor, RecordSources sources, IReadOnlyDictionary<string, (ListVersion List, ReferenceIndex Index)> lists)
    {
        if (field.Kind == FieldKind.Sections)
            return FieldExtractor.Parts(field, sources) is { Count: > 0 } parts ? new(field.Name, field.Kind, FieldState.Given, Parts: parts) : new(field.Name, field.Kind, FieldState.Empty);
        var found = extractor.Read(field, sources);
        if (found.Count == 0) return new(field.Name, field.Kind, FieldState.Empty, EntityType: field.EntityType);
        if (field.Kind == FieldKind.Entity) return Entity(field, extractor.Type.MatcherOf(field.EntityType!), found, lists);
        // Spellings of one title differ by habit; what differs by more is told, and keeps nothing from going on.
        var others = found.Skip(1).Where(o => Ear(o.Value) != Ear(found[0].Value)).ToList();
        return new(field.Name, field.Kind, FieldState.Given, found[0], None(others), Conflict: others.Count > 0);
    }

    private static ResolvedField Entity(RecordField field, Matcher matcher, IReadOnlyList<FoundValue> found, IReadOnlyDictionary<string, (ListVersion List, ReferenceIndex Index)> lists)
    {
        var others = found.Skip(1).Where(o => o.Value != found[0].Value).ToList();
        var bare = new ResolvedField(field.Name, field.Kind, FieldState.NoList, found[0], None(others), EntityType: field.EntityType,
            Why: $"There is no list of the type {field.EntityType} to look in.");
        if (!lists.TryGetValue(field.EntityType!, out var list)) return bare;
        var match = list.Index.Match(found[0].Value);
        // Another rule contradicts where what it found surely means something else.
        var contradiction = others.Select(o => (o.Value, Meant: list.Index.Match(o.Value))).FirstOrDefault(o => o.Meant.Doubt is null && o.Meant.Confidence >= matcher.Accept && o.Meant.Best!.Key != match.Best?.Key);
        var linked = match.Best is not null && match.Doubt is null && match.Confidence >= matcher.Accept;
        return bare with
        {
            State = match.Best is null ? FieldState.Unmatched : linked ? FieldState.Linked : FieldState.Uncertain,
            Conflict = contradiction.Meant is not null,
            ListVersion = list.List.Version,
            Entity = linked ? match.Best!.Key : null,
            EntityName = linked ? match.Best!.Name : null,
            Confidence = match.Confidence,
            Why = contradiction.Meant is { } other ? $"“{found[0].Value}” and “{contradiction.Value}” mean different things ({match.Best?.Name ?? "nothing known"}, {other.Best!.Name})."
                : match.Best is null ? $"Nothing in the list of {list.Index.Count:N0} is close to “{found[0].Value}”." : match.Doubt ?? match.Best.Why,
            Candidates = match.Candidates,
        };
    }

    private static string Ear(string value) => Spelling.Loose(Spelling.Sounds(value, Reading.Letters));

    private static List<FoundValue>? None(List<FoundValue> others) => others.Count == 0 ? null : others;
}
