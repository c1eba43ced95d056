"""The documents: every call (OpenAPI) and every record on Kafka (AsyncAPI), for machines and as pages for people.

    operations/  each call, as data: the place for a new one
    parts        what the data of a call is made of
    schemas      JSON Schema of models, under the names that the document gives them
    document     all calls as OpenAPI 3.1
    records      each type of record on Kafka, with its JSON Schema
    asyncapi     topics, headers and records as AsyncAPI 3.0
    pages        `/openapi.json` and `/asyncapi.json`, and `/docs` and `/docs/events`, which show them with Redoc
    redoc/       Redoc's one file, with its licence and where it is from

Safe to change: the description of a call. With care: an `operationId` or a model's name, because generated clients call
their functions and types so.
Never: a page that loads anything from elsewhere, or a sentence that the service does not keep.
"""
