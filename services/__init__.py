"""The programs of Stint. They never import each other: what they share is a fact, in `shared`.

command_api/   HTTP in, events out, verdicts back; remembers nothing
projector/     events in, read models and verdicts out
feed/          outcomes out, over HTTP, for those that have no Kafka
stint_cli/     what operators do by hand
"""
