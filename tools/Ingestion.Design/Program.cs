using Ingestion.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

Console.WriteLine("Design time only: dotnet ef migrations add NAME -p Ingestion.Core -s tools/Ingestion.Design");

/// <summary>Gives <c>dotnet ef</c> a context without a server.</summary>
public sealed class DesignTimeFactory : IDesignTimeDbContextFactory<IngestionDb>
{
    public IngestionDb CreateDbContext(string[] args) => new(new DbContextOptionsBuilder<IngestionDb>()
        .UseNpgsql("Host=none", o => o.MigrationsHistoryTable("migration", IngestionDb.Schema)).Options);
}
