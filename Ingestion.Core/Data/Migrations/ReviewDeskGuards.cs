namespace Ingestion.Core.Data.Migrations;

/// <summary>Who sees a view of the review queue: its owner. A session of no member in particular sees its tenant's, as everywhere.</summary>
internal static class ReviewDeskGuards
{
    public const string Access = """
        ALTER TABLE ingestion.review_view ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own_tenant ON ingestion.review_view TO ingestion_web USING (tenant_id = nullif(current_setting('ingestion.tenant', true), ''));
        CREATE POLICY reach ON ingestion.review_view AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('member') IS NULL) OR owner = (SELECT ingestion.setting('member')));
        """;
}
