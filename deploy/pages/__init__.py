"""Pages: documents that are written from code. `make pages` writes them anew, and a test compares each with the code.

settings   the settings in docs/operations.md
rules      docs/rules.md, from the table of rules
metrics    docs/metrics.md
alerts     deploy/alerts.yml, an alert for each alarm of docs/operations.md
openapi    docs/openapi.json
events     the tables in docs/events.md
records    docs/schemas, a JSON Schema for each record
asyncapi   docs/asyncapi.json
"""
