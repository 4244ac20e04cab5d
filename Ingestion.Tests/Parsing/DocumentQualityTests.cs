using Ingestion.Core.Parsing;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

public sealed class DocumentQualityTests
{
    private const double Threshold = 0.7;

    [Theory]
    [InlineData("words")]
    [InlineData("# A title\n\nThe quick brown fox jumps over the lazy dog, and then it sleeps.\n")]
    [InlineData("| a | b |\n|---|---|\n| 1.5 | 2,000 |\n| 3 | 4 |\n")]
    [InlineData("```\nfor (var i = 0; i < n; i++) { a[i] = b[i] ^ c; }\n```\nA loop.\n")]
    [InlineData("அகிலாண்டேஸ்வரி ரக்ஷ மாம் अखिलाण्डेश्वरि रक्ष माम् akhilāṇḍeśvari rakṣa mām\n")]
    [InlineData("(ambA) kAmAkshi anudinamu maravakanE nI pAdamulu namminAnu SrI kAncI nilayE SyAma kRshNa sahOdari birAna varAlicci brOvavE talli nIvE gatiyani\n")]
    public void What_people_write_is_readable(string markdown) => Of(markdown).Score.ShouldBeGreaterThanOrEqualTo(Threshold);

    [Fact]
    public void Glyphs_of_a_font_with_an_alphabet_of_its_own_are_no_words()
    {
        var quality = Of("""
            aEKlAX vEr r" mAm^ rAg\ : яяAvEt ( 28 ) tA\ : aAEd pllEv aEKlAX vEr r" mA\ aAgms\prdAyEnpZ rF anpllEv EnEKllokEn(yAE(mk Evml Enml [yAm sklk
            crZm^ lMbodr gzgh pEяt lMbAlkodAEvt hEst vA`d vtArAEDt vrd vrf {lrAяnt fArd ( m@ymkAlsAEh(ym^ ) яMBAErsMBAEvt яnAdnnt
            """);
        quality.Score.ShouldBeLessThan(Threshold);
        quality.Parts.MinBy(p => p.Value).Key.ShouldBe(DocumentQuality.Words);
    }

    [Fact]
    public void Bytes_in_the_wrong_character_set_show()
    {
        var quality = Of(string.Concat(Enumerable.Repeat("CafÃ© dÃ©jÃ  vu, naÃ¯ve faÃ§ade. ", 20)));
        quality.Score.ShouldBeLessThan(Threshold);
        quality.Parts.MinBy(p => p.Value).Key.ShouldBe(DocumentQuality.Charset);
    }

    [Fact]
    public void Pages_without_text_count()
    {
        var scan = string.Concat(Enumerable.Range(1, 10).Select(p => $"{PageMarker.For(p)}\n{(p == 1 ? "Scanned" : "")}\n"));
        Of(scan, pages: 10).Score.ShouldBeLessThan(Threshold);
        var report = string.Concat(Enumerable.Range(1, 10).Select(p => $"{PageMarker.For(p)}\n{(p % 3 == 0 ? "" : "A page of a report with a line of words on it, and another.")}\n"));
        Of(report, pages: 10).Score.ShouldBeGreaterThanOrEqualTo(0.7);
    }

    [Fact]
    public void Mere_signs_are_no_text() => Of("=== %%% ::: === ((( ))) ,,, ;;; ... !!! ??? === x ~~~").Score.ShouldBeLessThan(Threshold);

    [Fact]
    public void The_worst_part_decides_and_is_told()
    {
        var quality = Of(string.Concat(Enumerable.Repeat("\uFFFD\uFFFD ok ", 50)));
        quality.Score.ShouldBe(quality.Parts.Values.Min());
        DocumentQuality.Sentence(quality.Score, quality.Parts).ShouldContain("character set");
    }

    private static DocumentQuality Of(string markdown, int? pages = null) => DocumentQuality.Of(new(null, markdown, [], [], pages));
}
