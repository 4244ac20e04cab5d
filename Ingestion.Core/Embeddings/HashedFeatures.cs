using System.Globalization;
using System.Text;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// Reads a text once and counts its features. Words are runs of letters, marks and digits; scripts that write no spaces
/// (Han, Kana, Thai, Lao, Khmer, Myanmar, Tibetan …) count single characters, pairs and triples instead of words.
/// </summary>
internal static class HashedFeatures
{
    private const float Word = 1f, LoneLetter = 0.5f, WordPair = 0.5f, LetterRun = 0.3f;
    private const float Single = 0.3f, Pair = 1f, Triple = 0.5f;

    public static void Count(ReadOnlySpan<char> text, FeatureCounts counts)
    {
        var reader = new Reader(counts, stackalloc char[Reader.MaxWord + 2]);
        foreach (var rune in text.EnumerateRunes()) reader.Read(rune);
        reader.EndWord();
        if (!counts.IsEmpty) return;
        foreach (var rune in text.EnumerateRunes())
            if (!Rune.IsWhiteSpace(rune) && !Rune.IsControl(rune)) counts.Add(Mix((ulong)rune.Value, 7), Single);
    }

    private enum Kind { Gap, Ignored, Spaced, Unspaced }

    private ref struct Reader(FeatureCounts counts, Span<char> word)
    {
        /// <summary>UTF-16 units. What is longer is no word but data: it counts once, by its beginning, and its letters say nothing.</summary>
        public const int MaxWord = 64;

        private readonly Span<char> _word = word;
        private int _length;
        private bool _isData;
        private uint _previousWord;
        private int _one, _two;

        public void Read(Rune rune)
        {
            switch (KindOf(rune))
            {
                case Kind.Spaced:
                    (_one, _two) = (0, 0);
                    // One place at either end stays free for the marks of the word's edges.
                    if (_length + rune.Utf16SequenceLength > MaxWord) _isData = true;
                    else _length += Rune.ToLowerInvariant(rune).EncodeToUtf16(_word[(_length + 1)..]);
                    break;
                case Kind.Unspaced:
                    EndWord();
                    _previousWord = 0;
                    AddUnspaced(rune.Value);
                    break;
                case Kind.Gap:
                    EndWord();
                    (_one, _two) = (0, 0);
                    break;
            }
        }

        public void EndWord()
        {
            if (_length == 0) return;
            // A light fold of the English plural; the same for every script, where it does no harm.
            if (_length > 4 && _word[_length] == 's') _length--;
            var hash = Mix(Fold(_word.Slice(1, _length)), 1);
            counts.Add(hash, _length == 1 ? LoneLetter : Word);
            if (_previousWord != 0) counts.Add(Mix((ulong)_previousWord << 32 | hash, 2), WordPair);
            _previousWord = hash;
            if (!_isData) AddLetterRuns();
            (_length, _isData) = (0, false);
        }

        private readonly void AddLetterRuns()
        {
            // A Hangul syllable holds as much as two or three letters.
            var run = _word[1] is >= '\uAC00' and <= '\uD7A3' ? 2 : 4;
            _word[0] = '<';
            _word[_length + 1] = '>';
            for (var i = 0; i + run <= _length + 2; i++)
            {
                ulong packed = 0;
                foreach (var c in _word.Slice(i, run)) packed = packed << 16 | c;
                counts.Add(Mix(packed, 3), LetterRun);
            }
        }

        private void AddUnspaced(int value)
        {
            counts.Add(Mix((ulong)value, 4), Single);
            if (_one != 0) counts.Add(Mix((ulong)_one << 21 | (uint)value, 5), Pair);
            if (_two != 0) counts.Add(Mix((ulong)_two << 42 | (ulong)_one << 21 | (uint)value, 6), Triple);
            (_two, _one) = (_one, value);
        }
    }

    private static Kind KindOf(Rune rune)
    {
        if (rune.IsAscii) return char.IsAsciiLetterOrDigit((char)rune.Value) ? Kind.Spaced : Kind.Gap;
        return Rune.GetUnicodeCategory(rune) switch
        {
            // Soft hyphens and joiners stand inside words and mean nothing to a search.
            UnicodeCategory.Format => Kind.Ignored,
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter
                or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
                or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber
                => IsUnspaced(rune.Value) ? Kind.Unspaced : Kind.Spaced,
            _ => Kind.Gap,
        };
    }

    private static bool IsUnspaced(int value) => value is
        >= 0x0E00 and <= 0x109F                             // Thai, Lao, Tibetan, Myanmar
        or >= 0x1780 and <= 0x17FF                          // Khmer
        or >= 0x1950 and <= 0x1AAF and not (>= 0x1A00 and <= 0x1A1F) // the Tai scripts, without Buginese
        or >= 0x3005 and <= 0x30FF                          // iteration mark, Hiragana, Katakana
        or >= 0x31F0 and <= 0x31FF
        or >= 0x3400 and <= 0x4DBF
        or >= 0x4E00 and <= 0xA4CF                          // Han, Yi
        or >= 0xA9E0 and <= 0xA9FF
        or >= 0xAA60 and <= 0xAADF
        or >= 0xF900 and <= 0xFAFF
        or >= 0x1AFF0 and <= 0x1B16F
        or >= 0x20000 and <= 0x3FFFF;

    private static ulong Fold(ReadOnlySpan<char> text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text) hash = (hash ^ c) * 1099511628211UL;
        return hash;
    }

    /// <summary>Spreads a feature over 32 bits; the kind keeps equal values of different kinds apart.</summary>
    private static uint Mix(ulong value, uint kind)
    {
        value += kind * 0x9E3779B97F4A7C15UL;
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ value >> 27) * 0x94D049BB133111EBUL;
        return (uint)(value >> 32);
    }
}
