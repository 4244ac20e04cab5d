using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Ingestion.Core.Data;

/// <summary>
/// The database as LINQ sees it. Statements that move tasks, number events, count, copy or search are SQL beside their readers.
/// Add a migration with: <c>dotnet ef migrations add NAME -p Ingestion.Core -s tools/Ingestion.Design</c>.
/// </summary>
public sealed class IngestionDb(DbContextOptions<IngestionDb> options) : DbContext(options)
{
    public const string Schema = "ingestion";

    public DbSet<Tenant> Tenants => Set<Tenant>();
    public DbSet<Collection> Collections => Set<Collection>();
    public DbSet<ImportBatch> Batches => Set<ImportBatch>();
    public DbSet<ImportInput> Inputs => Set<ImportInput>();
    public DbSet<ImportJob> Jobs => Set<ImportJob>();
    public DbSet<ImportItem> Items => Set<ImportItem>();
    public DbSet<ImportTaskRun> TaskRuns => Set<ImportTaskRun>();
    public DbSet<ImportEvent> Events => Set<ImportEvent>();
    public DbSet<AuditEntry> Audit => Set<AuditEntry>();
    public DbSet<IdempotencyKey> IdempotencyKeys => Set<IdempotencyKey>();
    public DbSet<Upload> Uploads => Set<Upload>();
    public DbSet<Source> Sources => Set<Source>();
    public DbSet<SourceVersion> SourceVersions => Set<SourceVersion>();
    public DbSet<Document> Documents => Set<Document>();
    public DbSet<DocumentVersion> DocumentVersions => Set<DocumentVersion>();
    public DbSet<DocumentLink> DocumentLinks => Set<DocumentLink>();
    public DbSet<Publication> Publications => Set<Publication>();
    public DbSet<ChunkRow> Chunks => Set<ChunkRow>();
    public DbSet<EmbeddingGeneration> Generations => Set<EmbeddingGeneration>();
    public DbSet<Artifact> Artifacts => Set<Artifact>();
    public DbSet<HostBudget> Hosts => Set<HostBudget>();
    public DbSet<WorkerProcess> Workers => Set<WorkerProcess>();
    public DbSet<Account> Accounts => Set<Account>();
    public DbSet<AccountPasskey> Passkeys => Set<AccountPasskey>();
    public DbSet<Membership> Memberships => Set<Membership>();
    public DbSet<Invitation> Invitations => Set<Invitation>();
    public DbSet<UserSession> Sessions => Set<UserSession>();
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();
    public DbSet<StoredSecret> Secrets => Set<StoredSecret>();
    public DbSet<ProtectionKey> ProtectionKeys => Set<ProtectionKey>();
    public DbSet<Duty> Duties => Set<Duty>();
    public DbSet<PrunedBatch> PrunedBatches => Set<PrunedBatch>();
    public DbSet<ReferenceList> ReferenceLists => Set<ReferenceList>();
    public DbSet<ReferenceVersion> ReferenceVersions => Set<ReferenceVersion>();
    public DbSet<ReferenceEntityRow> ReferenceEntities => Set<ReferenceEntityRow>();
    public DbSet<RecordTypeVersion> RecordTypes => Set<RecordTypeVersion>();
    public DbSet<ItemRecord> ItemRecords => Set<ItemRecord>();
    public DbSet<ReviewItem> Reviews => Set<ReviewItem>();
    public DbSet<ReviewDecision> ReviewDecisions => Set<ReviewDecision>();
    public DbSet<ReviewBulk> ReviewBulks => Set<ReviewBulk>();
    public DbSet<ReviewView> ReviewViews => Set<ReviewView>();
    public DbSet<WebhookEndpoint> WebhookEndpoints => Set<WebhookEndpoint>();
    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();
    public DbSet<WebhookAttempt> WebhookAttempts => Set<WebhookAttempt>();

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.HasDefaultSchema(Schema);
        model.ApplyConfigurationsFromAssembly(typeof(IngestionDb).Assembly);
        foreach (var entity in model.Model.GetEntityTypes()) UseSnakeCase(entity);
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder conventions)
    {
        conventions.Properties<BatchState>().HaveConversion<WordConverter<BatchState>>();
        conventions.Properties<DesiredState>().HaveConversion<WordConverter<DesiredState>>();
        conventions.Properties<ItemState>().HaveConversion<WordConverter<ItemState>>();
        conventions.Properties<TaskState>().HaveConversion<WordConverter<TaskState>>();
        conventions.Properties<Stage>().HaveConversion<WordConverter<Stage>>();
        conventions.Properties<Priority>().HaveConversion<WordConverter<Priority>>();
        conventions.Properties<ItemStep>().HaveConversion<WordConverter<ItemStep>>();
        conventions.Properties<Role>().HaveConversion<WordConverter<Role>>();
        conventions.Properties<KeyScope>().HaveConversion<WordConverter<KeyScope>>();
        conventions.Properties<DeliveryState>().HaveConversion<WordConverter<DeliveryState>>();
    }

    private static void UseSnakeCase(IMutableEntityType entity)
    {
        entity.SetTableName(Snake(entity.GetTableName()!));
        foreach (var p in entity.GetProperties()) p.SetColumnName(Snake(p.GetColumnName()));
        foreach (var k in entity.GetKeys()) k.SetName(Snake(k.GetName()!));
        foreach (var f in entity.GetForeignKeys()) f.SetConstraintName(Snake(f.GetConstraintName()!));
        foreach (var i in entity.GetIndexes()) i.SetDatabaseName(Snake(i.GetDatabaseName()!));
    }

    private static string Snake(string name)
    {
        var s = string.Concat(name.Select((c, i) => char.IsUpper(c) && i > 0 && name[i - 1] != '_' && !char.IsUpper(name[i - 1]) ? "_" + c : c.ToString())).ToLowerInvariant();
        return s.Length <= 63 ? s : s[..63];
    }

    private sealed class WordConverter<T>() : ValueConverter<T, string>(v => v.Word(), w => StateWords.Parse<T>(w)) where T : struct, Enum;
}
