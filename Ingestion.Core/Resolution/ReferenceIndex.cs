using System.Collections.Concurrent;
using System.Globalization;

namespace Ingestion.Core.Resolution;

/// <summary>
/// One version of a list, made ready to be asked for one matcher. Immutable, so it serves any number of tasks at once. Confidence follows
/// from the step by which a name was found, and doubt caps it: a spelling that could mean two entities is never sure.
/// </summary>
public sealed class ReferenceIndex
{
    /// <summary>As many as a person can pick with one key.</summary>
    private const int MostCandidates = 9;

    private const int MostAnswers = 10_000;
    private const double Least = 0.35;
    private const double InDoubt = 0.6;

    // Of the spellings of three real manifests that are found by a step and without doubt, the share that is right stood above these.
    private const double SureExact = 1, SureAlias = 0.99, SureFolded = 0.97, SureSound = 0.95, SureLoose = 0.85, SureStem = 0.78, SureClose = 0.75;

    private readonly Matcher _matcher;
    private readonly Dictionary<string, ReferenceEntity> _entities;
    private readonly NameTable _names = new(), _aliases = new(), _guesses = new(), _folded = new(), _sounds = new(), _loose = new(), _stems = new();
    private readonly CloseNames _close = new();
    // The rows of a manifest name few things, each many times.
    private readonly ConcurrentDictionary<string, MatchResult> _answers = new();
    private readonly Dictionary<string, List<ReferenceEntity>> _twins = [];
    private readonly Dictionary<string, Dictionary<string, double>> _certainty = [];

    public ReferenceIndex(IEnumerable<ReferenceEntity> entities, Matcher matcher)
    {
        _matcher = matcher;
        _entities = entities.ToDictionary(e => e.Key);
        foreach (var entity in _entities.Values)
        {
            _names.Add(Spelling.Exact(entity.Name), entity);
            foreach (var name in Alternatives(entity.Name)) Add(entity, name, Reading.Plain);
            foreach (var alias in entity.Aliases)
            {
                var text = Spelling.Exact(alias.Text);
                if (alias.Certainty >= 1) _aliases.Add(text, entity);
                else _guesses.Add(text, entity);
                if (alias.Certainty >= 1) Add(entity, text, matcher.Reading);
                else CollectionsOf(_certainty, text)[entity.Key] = alias.Certainty;
            }
        }
        FindTwins();
    }

    public int Count => _entities.Count;

    public ReferenceEntity? Find(string key) => _entities.GetValueOrDefault(key);

    /// <summary>What a value may mean; nothing for a blank one.</summary>
    public MatchResult Match(string value)
    {
        var text = Spelling.Exact(value);
        if (text.Length == 0) return MatchResult.None;
        if (_answers.TryGetValue(text, out var known)) return known;
        if (_answers.Count >= MostAnswers) _answers.Clear();
        return _answers.GetOrAdd(text, MatchAnew);
    }

    private MatchResult MatchAnew(string text)
    {
        var found = new Found();
        if (_matcher.Uses(MatchStep.Exact))
        {
            found.Add(_names[text], SureExact, e => $"“{text}” is its name.");
            found.Add(_aliases[text], SureAlias, e => $"“{text}” is a known spelling of {e.Name}.");
            if (found.Count == 1 && _guesses[text].Count == 0) return new(found.Ordered(MostCandidates), null);
        }
        Near(text, found);
        var guessed = _guesses[text];
        foreach (var entity in guessed)
            found.Add([entity], Math.Min(InDoubt, _certainty[text][entity.Key]), e => $"Somebody guessed that “{text}” means {e.Name}.");
        return Judge(text, found, guessed);
    }

    private void Near(string text, Found found)
    {
        if (_matcher.Uses(MatchStep.Folded)) found.Add(_folded[Spelling.Fold(text)], SureFolded, e => $"“{text}” has the letters of {e.Name}.");
        var loose = Spelling.Loose(Spelling.Sounds(text, _matcher.Reading));
        if (_matcher.Uses(MatchStep.Transliterated))
        {
            found.Add(_sounds[Spelling.Sounds(text, _matcher.Reading)], SureSound, e => $"“{text}” sounds like {e.Name}.");
            found.Add(_loose[loose], SureLoose, e => $"“{text}” sounds like {e.Name} but for the length of a vowel or an s.");
            found.Add(_stems[Spelling.Stem(loose)], SureStem, e => $"“{text}” sounds like {e.Name} but for its ending.");
        }
        if (found.Best >= SureStem || loose.Length < 2) return;
        foreach (var (entity, close) in _close.Find(loose, _matcher.Uses(MatchStep.Trigram), _matcher.Uses(MatchStep.EditDistance), Least / SureClose))
            found.Add([entity], Math.Round(close * SureClose, 3), e => string.Create(CultureInfo.InvariantCulture, $"“{text}” is close to {e.Name} ({close:0%})."));
    }

    private MatchResult Judge(string text, Found found, List<ReferenceEntity> guessed)
    {
        if (found.Count == 0) return MatchResult.None;
        var ordered = found.Ordered(MostCandidates);
        var best = _entities[ordered[0].Key];
        string? doubt = null;
        if (guessed.Count > 0) doubt = $"“{text}” stands in the list as a guess.";
        // What is found by sound at all counts as a rival, however much surer the first one is: two names that differ in an ending are one word in other habits.
        else if (ordered.Skip(1).FirstOrDefault(c => c.Confidence >= SureStem) is { } rival) doubt = $"“{text}” could be {best.Name} or {rival.Name}.";
        else if (_twins.TryGetValue(best.Key, out var twins))
        {
            doubt = $"{best.Name} and {string.Join(", ", twins.Select(t => t.Name))} may be one and the same.";
            foreach (var twin in twins) found.Add([twin], InDoubt - 0.01, e => $"{e.Name} shares what {best.Name} is told by.");
            ordered = found.Ordered(MostCandidates);
        }
        return doubt is null ? new(ordered, null) : new([.. ordered.Select(c => c with { Confidence = Math.Min(c.Confidence, InDoubt) })], doubt);
    }

    private void Add(ReferenceEntity entity, string name, Reading reading)
    {
        var loose = Spelling.Loose(Spelling.Sounds(name, reading));
        _folded.Add(Spelling.Fold(name), entity);
        _sounds.Add(Spelling.Sounds(name, reading), entity);
        _loose.Add(loose, entity);
        _stems.Add(Spelling.Stem(loose), entity);
        _close.Add(entity, loose);
    }

    // Names as lists write them: “Dwijāvanthi /Jujāvanthi”, “Pharaju {Hindustani}”.
    private static IEnumerable<string> Alternatives(string name)
    {
        for (var open = name.IndexOfAny(['{', '(']); open >= 0; open = name.IndexOfAny(['{', '('], open))
        {
            var close = name.IndexOfAny(['}', ')'], open);
            name = close < 0 ? name[..open] : name.Remove(open, close - open + 1);
        }
        return name.Split('/').Select(Spelling.Exact).Where(n => n.Length > 0);
    }

    private void FindTwins()
    {
        if (_matcher.Identity is not { Count: > 0 } identity) return;
        var alike = _entities.Values.Where(e => identity.All(a => e.Attributes.GetValueOrDefault(a) is { Length: > 0 }))
            .GroupBy(e => string.Join('\u001f', identity.Select(a => e.Attributes[a])));
        foreach (var group in alike)
            foreach (var one in group)
            {
                var others = group.Where(o => o.Key != one.Key && (Within(one.Name, o.Name) || Within(o.Name, one.Name))).ToList();
                if (others.Count > 0) _twins[one.Key] = others;
            }
    }

    private static bool Within(string part, string whole) =>
        Spelling.Stem(Spelling.Loose(Spelling.Sounds(part, Reading.Plain))) is { Length: >= 3 } stem && Spelling.Loose(Spelling.Sounds(whole, Reading.Plain)).Contains(stem, StringComparison.Ordinal);

    private static Dictionary<string, double> CollectionsOf(Dictionary<string, Dictionary<string, double>> all, string text)
    {
        if (!all.TryGetValue(text, out var of)) all[text] = of = [];
        return of;
    }

    /// <summary>Entities by a key.</summary>
    private sealed class NameTable
    {
        private static readonly List<ReferenceEntity> Nobody = [];
        private readonly Dictionary<string, List<ReferenceEntity>> _all = new(StringComparer.Ordinal);

        public List<ReferenceEntity> this[string key] => _all.GetValueOrDefault(key, Nobody);

        public void Add(string key, ReferenceEntity entity)
        {
            if (key.Length == 0) return;
            if (!_all.TryGetValue(key, out var list)) _all[key] = list = [];
            if (!list.Contains(entity)) list.Add(entity);
        }
    }

    /// <summary>Candidates as they are found, each by the surest way.</summary>
    private sealed class Found
    {
        private readonly Dictionary<string, Candidate> _all = [];

        public int Count => _all.Count;

        public double Best => _all.Count == 0 ? 0 : _all.Values.Max(c => c.Confidence);

        public void Add(IEnumerable<ReferenceEntity> entities, double confidence, Func<ReferenceEntity, string> why)
        {
            foreach (var entity in entities)
                if (!_all.TryGetValue(entity.Key, out var known) || known.Confidence < confidence) _all[entity.Key] = new(entity.Key, entity.Name, confidence, why(entity));
        }

        public IReadOnlyList<Candidate> Ordered(int most) =>
            [.. _all.Values.OrderByDescending(c => c.Confidence).ThenBy(c => c.Name, StringComparer.Ordinal).Take(most)];
    }
}
