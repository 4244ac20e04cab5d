using System.Text;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Resolution;

public sealed class ReferenceListsTests : DatabaseTest
{
    private ReferenceLists Lists => new(Database);

    [Fact]
    public async Task A_load_is_a_version_and_earlier_ones_stay_readable()
    {
        (await LoadAsync("name,aliases,parent,scale\nKalyani,kalyANi|Yaman,,S R2\nTodi,,,\n")).ShouldBe(1);
        (await LoadAsync("name,aliases,parent,scale\nKalyani,kalyANi|Yaman,,S R2\nMohanam,,Kalyani,\n")).ShouldBe(2);
        // The same once more is no version.
        (await LoadAsync("name,aliases,parent,scale\nKalyani,kalyANi|Yaman,,S R2\nMohanam,,Kalyani,\n")).ShouldBe(2);

        (await EntitiesAsync(1)).Select(e => e.Name).ShouldBe(["Kalyani", "Todi"]);
        var now = await EntitiesAsync(null);
        now.Select(e => (e.Name, e.Parent)).ShouldBe([("Kalyani", null), ("Mohanam", "Kalyani")]);
        now[0].Aliases.Select(a => a.Text).ShouldBe(["kalyANi", "Yaman"]);
        now[0].Attributes.ShouldBe(new Dictionary<string, string> { ["scale"] = "S R2" });
        (await Lists.ListAsync("default", "default", CancellationToken.None)).Select(l => (l.EntityType, l.Version, l.Entities, l.LoadedBy)).ShouldBe([("raga", 2, 2, "test")]);
        // What did not change is one row over both versions.
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.reference_entity")).ShouldBe(3);
    }

    [Fact]
    public async Task Spellings_are_added_by_name_or_key_with_their_certainty()
    {
        await LoadAsync("name\nMechakalyāni\nSoma\n");
        var aliases = await ReferenceTables.ReadAliasesAsync(Text("alias,entity,certainty\nkalyANi,Mechakalyāni,HIGH\nsAma,soma,MEDIUM\nrAga mAlikA,(medley),LOW\n"), CancellationToken.None);
        var (version, unknown) = await Lists.AddAliasesAsync(Make.Actor, "default", "raga", aliases, null, CancellationToken.None);
        version.ShouldBe(2);
        unknown.ShouldBe(["rAga mAlikA"]);
        (await EntitiesAsync(null)).SelectMany(e => e.Aliases).ShouldBe([new("kalyANi"), new("sAma", 0.6)]);
    }

    [Theory]
    [InlineData("title\nx\n", "name")]
    [InlineData("name,key\na,k\nb,k\n", "Line 3")]
    [InlineData("name,key\n ,k\n", "no name")]
    public async Task A_table_that_is_no_list_is_refused_with_its_line(string table, string word) =>
        (await Should.ThrowAsync<IngestionException>(() => ReferenceTables.ReadEntitiesAsync(Text(table), CancellationToken.None))).Message.ShouldContain(word);

    [Fact]
    public async Task A_collection_out_of_reach_is_as_one_that_is_not_there()
    {
        await Make.OtherTenant("other");
        await LoadAsync("name\nSoma\n");
        (await Lists.ListAsync("other", "default", CancellationToken.None)).ShouldBeEmpty();
        var narrowed = Make.Actor with { Narrowing = new Narrowing(Collections: [0]) };
        (await Should.ThrowAsync<IngestionException>(() => Lists.LoadAsync(narrowed, "default", "raga", [], null, CancellationToken.None))).Code.ShouldBe(ErrorCodes.NotFound);
        (await Lists.EntitiesAsync(narrowed.Scope, "default", "raga", null, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task Two_loads_at_once_are_two_versions()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Lists.LoadAsync(Make.Actor, "default", "raga", [new($"e{i}", $"E{i}")], null, CancellationToken.None)));
        (await QueryAsync<int>("SELECT version FROM ingestion.reference_version ORDER BY version")).ShouldBe(Enumerable.Range(1, 8));
        (await EntitiesAsync(null)).Count.ShouldBe(1);
    }

    private async Task<int> LoadAsync(string table) => await Lists.LoadAsync(Make.Actor, "default", "raga", await ReferenceTables.ReadEntitiesAsync(Text(table), CancellationToken.None), "test", CancellationToken.None);

    private async Task<IReadOnlyList<ReferenceEntity>> EntitiesAsync(int? version) => (await Lists.EntitiesAsync("default", "default", "raga", version, CancellationToken.None))!;

    private static MemoryStream Text(string text) => new(Encoding.UTF8.GetBytes(text));
}
