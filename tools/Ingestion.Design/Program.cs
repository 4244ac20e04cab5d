Console.WriteLine("Design time only: dotnet ef migrations add NAME -p Ingestion.Core -s tools/Ingestion.Design");
