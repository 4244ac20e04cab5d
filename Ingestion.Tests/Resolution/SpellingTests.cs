using Ingestion.Core.Resolution;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Resolution;

public sealed class SpellingTests
{
    [Theory]
    [InlineData("kalyANi", "Kalyāni")]
    [InlineData("bhUpALaM", "Bhoopālam")]
    [InlineData("SrI ranjani", "Shreeranjani")]
    [InlineData("bRndAvani", "Brindāvani")]
    [InlineData("gauLa", "Gowla")]
    [InlineData("shaNmukha priyA", "Śanmukhapriyā")]
    [InlineData("amRta vAhini", "Amrithavāhini")]
    [InlineData("haMsa dhvani", "Hamsadhwani")]
    public void Habits_of_romanisation_sound_alike(string letters, string plain) =>
        Spelling.Sounds(letters, Reading.Letters).ShouldBe(Spelling.Sounds(plain, Reading.Plain));

    [Theory]
    [InlineData("sarAvatI", "SarAvatI")]
    [InlineData("rAga", "raga")]
    public void Case_is_a_letter_where_it_is_read_so_and_nothing_where_it_is_not(string one, string other)
    {
        Spelling.Sounds(one, Reading.Letters).ShouldNotBe(Spelling.Sounds(other, Reading.Letters));
        Spelling.Fold(one).ShouldBe(Spelling.Fold(other));
        Spelling.Exact(one).ShouldNotBe(Spelling.Exact(other));
    }

    [Fact]
    public void Length_and_sibilants_are_the_last_to_be_set_aside()
    {
        var (longer, shorter) = (Spelling.Sounds("priyA", Reading.Letters), Spelling.Sounds("priya", Reading.Letters));
        longer.ShouldNotBe(shorter);
        Spelling.Loose(longer).ShouldBe(Spelling.Loose(shorter));
        Spelling.Stem(Spelling.Loose(Spelling.Sounds("bhUpALaM", Reading.Letters))).ShouldBe(Spelling.Stem(Spelling.Loose(Spelling.Sounds("bhUpALa", Reading.Letters))));
    }

    [Fact]
    public void Two_characters_and_one_composed_one_are_the_same_text() => Spelling.Exact("a\u0304  b ").ShouldBe("ā b");
}
