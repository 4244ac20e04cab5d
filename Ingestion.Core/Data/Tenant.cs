using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>Who owns rows. The id is a short readable word and part of every artifact path.</summary>
public sealed class Tenant
{
    public const string Default = "default";

    public required string Id { get; set; }
    public required string Name { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? DisabledAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Tenant>
    {
        public void Configure(EntityTypeBuilder<Tenant> e)
        {
            e.ToTable("tenant", t => t.HasCheckConstraint("tenant_id_is_a_word", "id ~ '^[a-z0-9][a-z0-9-]{0,62}$'"));
            e.Property(t => t.CreatedAt).HasDefaultValueSql("now()");
        }
    }
}
