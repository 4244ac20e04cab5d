FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig appsettings.json ./
COPY Ingestion.Core/Ingestion.Core.csproj Ingestion.Core/
COPY Ingestion.Admin/Ingestion.Admin.csproj Ingestion.Admin/BlazorScript.targets Ingestion.Admin/
RUN dotnet restore Ingestion.Admin
COPY Ingestion.Core Ingestion.Core
COPY Ingestion.Admin Ingestion.Admin
RUN dotnet publish Ingestion.Admin -c Release -o /app --no-restore

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# The app makes a database cluster of its own in the volume, as the user it runs as.
RUN mkdir -p /etc/postgresql-common/createcluster.d \
    && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/ingestion.conf \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql poppler-utils util-linux \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --home-dir /var/lib/ingestion --shell /usr/sbin/nologin ingestion \
    && install -d -m 0700 -o ingestion -g ingestion /var/lib/ingestion
COPY --from=build /app /app
RUN ln -s /app/ingestion /usr/local/bin/ingestion && ln -s /app/ingestion /usr/local/bin/catalystctl
USER ingestion
WORKDIR /app
ENV INGESTION_BIND=0.0.0.0 \
    INGESTION_PORT=8001 \
    INGESTION_DATA=/var/lib/ingestion
VOLUME /var/lib/ingestion
EXPOSE 8001
# bash opens the connection itself: the image holds neither curl nor wget.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$INGESTION_PORT && printf 'GET /health/live HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["dotnet", "ingestion.dll"]
