using Ingestion.Core.Access;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Chunking;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Events;
using Ingestion.Core.Indexing;
using Ingestion.Core.Library;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Duties;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Core.Postgres;
using Ingestion.Core.Rendering;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Core.Review.Rules;
using Ingestion.Core.Settings;
using Ingestion.Core.Sources;
using Ingestion.Core.Webhooks;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;

namespace Ingestion.Core;

/// <summary>Every registration of the core, in the order of the pipeline.</summary>
public static class IngestionServices
{
    /// <summary>What every process has: the database, submissions, control, queries and search.</summary>
    public static IServiceCollection AddIngestion(this IServiceCollection services, Database database)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(database);
        services.AddSingleton<NpgsqlDataSource>(database.Worker);
        services.AddSingleton<Contexts>();
        services.AddSingleton<Migrator>();
        services.AddSingleton(s => s.GetRequiredService<IOptions<PipelineOptions>>().Value);

        services.AddSingleton<Callers>().AddSingleton<Accounts>().AddSingleton<Members>().AddSingleton<Invitations>();
        services.AddSingleton<Sessions>().AddSingleton<ApiKeys>().AddSingleton<Tenants>().AddSingleton<AuditQueries>();
        services.AddSingleton<RateLimits>().AddSingleton<MasterKey>().AddSingleton<SecretBox>().AddSingleton<KeptAnswers>();
        services.AddDataProtection().SetApplicationName("ingestion");
        services.AddOptions<KeyManagementOptions>().Configure<Database, MasterKey>((o, database, master) => (o.XmlRepository, o.XmlEncryptor) = (new KeyRing(database), new RingEncryptor(master)));
        services.AddSingleton(s => s.GetRequiredService<IOptions<DatabaseOptions>>().Value);
        services.AddSingleton(s => s.GetRequiredService<IOptions<RetentionOptions>>().Value);
        services.AddSingleton(s => s.GetRequiredService<IOptions<ReviewOptions>>().Value);

        // Stopped last: what it holds is given back before it says that it has gone.
        services.AddSingleton<RunningTasks>().AddSingleton<ConnectionBudget>().AddHostedService<ProcessBeat>();
        services.AddSingleton<OpenTransactions>().AddSingleton<Workers>();

        services.AddSingleton<BatchHub>();
        services.AddSingleton<Hints>().AddHostedService(s => s.GetRequiredService<Hints>());
        services.AddSingleton<ImportEventListener>().AddHostedService(s => s.GetRequiredService<ImportEventListener>());
        services.AddSingleton<ImportEvents>();

        services.AddSingleton<StageWaker>().AddHostedService(s => s.GetRequiredService<StageWaker>());
        services.AddSingleton<Submission>().AddSingleton<Drafts>();
        services.AddSingleton<BatchControl>().AddSingleton<BatchRetry>().AddSingleton<ItemControl>().AddSingleton<BatchDelete>().AddSingleton<BatchDuties>();
        services.AddSingleton(typeof(Shared<>)).AddSingleton<BatchQueries>().AddSingleton<BatchSources>().AddSingleton<BatchStatistics>().AddSingleton<FailureGroups>().AddSingleton<WhyWaiting>().AddSingleton<BatchWatch>();
        services.AddSingleton<CollectionItems>().AddSingleton<BatchTasks>().AddSingleton<ManifestFolder>();

        services.AddSources().AddArtifacts().AddEmbeddings();
        services.AddSingleton<EmbeddingKey>().AddHostedService(s => s.GetRequiredService<EmbeddingKey>());
        services.AddOptions<ArtifactOptions>().PostConfigure<DataDirectory>((o, data) => o.Folder = o.Folder is { Length: > 0 } chosen ? chosen : data.Private("artifacts"));
        services.AddSingleton(s => new UploadFiles(s.GetRequiredService<DataDirectory>().Private("uploads")));
        services.AddSingleton(s => new WorkFolder(s.GetRequiredService<DataDirectory>().Private("work")));
        services.AddSingleton<UploadStore>().AddSingleton<UploadFormats>().AddSingleton<BatchPlans>();
        services.AddSingleton<VectorIndex>().AddSingleton<SemanticSearch>().AddSingleton<SearchService>().AddSingleton<PublishedNames>();
        services.AddSingleton<ReferenceLists>().AddSingleton<RecordTypes>().AddSingleton<PreparedRecords>().AddSingleton<EntitySearch>();
        services.AddSingleton<ReviewDesk>().AddSingleton<ReviewQueries>().AddSingleton<BulkReviews>().AddSingleton<ReviewExports>().AddSingleton<ReviewImports>();
        services.AddSingleton<ReviewPlaces>().AddSingleton<BulkPreviews>().AddSingleton<ReviewAssignments>().AddSingleton<SavedReviewViews>().AddSingleton<VersionChanges>();
        services.AddSingleton<ReviewRules>().AddSingleton<RuleTrials>().AddSingleton<RuleBook>().AddSingleton<RuleChecks>().AddSingleton<RuleApplication>();
        services.AddSingleton<Repairs>().AddSingleton<Verification>().AddSingleton<Conditions>().AddSingleton<QueueHealth>();
        services.AddSingleton<WebhookDesk>().AddSingleton<WebhookQueries>();
        services.AddSingleton<Collections>().AddSingleton<Documents>().AddSingleton<DocumentFiles>().AddSingleton<PageImages>().AddSingleton<SafeMarkdown>();
        return services;
    }

    /// <summary>What a process that runs the pipeline has besides: stages, duties and the scheduler that fires them.</summary>
    public static IServiceCollection AddPipeline(this IServiceCollection services)
    {
        services.AddParsing();
        services.AddSingleton<IChunker, MarkdownChunker>();

        services.AddSingleton<ISourceConnector, UploadConnector>();
        services.AddSingleton<ISourceConnector>(s => s.GetRequiredService<UrlConnector>());
        services.AddSingleton<ISourceConnector, ManifestConnector>();

        services.AddSingleton<IStage, DiscoverStage>();
        services.AddSingleton<IStage, AcquireStage>();
        services.AddSingleton<IStage, ParseStage>();
        services.AddSingleton<IStage, ResolveStage>();
        services.AddSingleton<IStage, EmbedStage>();
        services.AddSingleton<IStage, IndexStage>();

        services.AddSingleton(s => new Pipeline.RetryPolicy(s.GetRequiredService<PipelineOptions>().Retry, s.GetRequiredService<IOptions<AcquireOptions>>().Value.RetryWaits()));
        services.AddSingleton<TaskSettler>().AddSingleton<StageRunner>();

        services.AddSingleton<IDuty, MoveBatchesOn>();
        services.AddSingleton<IDuty, RescueStuckTasks>();
        services.AddSingleton<IDuty, ExportPublished>();
        services.AddSingleton<IDuty, SweepFiles>();
        services.AddSingleton<IDuty, PruneDetails>();
        services.AddSingleton<IDuty, WatchTransactions>();
        services.AddSingleton<IDuty, SummariseBatches>();
        services.AddSingleton<IDuty, RunSchedules>();
        services.AddSingleton<IDuty, CancelCrawls>();
        services.AddSingleton<IDuty, DecideInBulk>();
        services.AddSingleton<IDuty, WatchRules>();
        services.AddSingleton<IDuty, AnnounceDownloads>();
        services.AddSingleton<WebhookSender>().AddHostedService(s => s.GetRequiredService<WebhookSender>());
        services.AddHostedService<DirectoryWatches>();
        services.AddSingleton<DutyTurns>();

        services.AddQuartz(WorkerHost.Scheduler, q => q.UseDefaultThreadPool(16));
        services.AddQuartzHostedService(WorkerHost.Scheduler, o => o.WaitForJobsToComplete = true);
        services.AddHostedService<WorkerHost>();
        // Started last, stopped first: it interrupts what runs, so that the scheduler has nothing to wait for.
        services.AddSingleton<LeaseKeeper>().AddHostedService(s => s.GetRequiredService<LeaseKeeper>());
        return services;
    }
}
