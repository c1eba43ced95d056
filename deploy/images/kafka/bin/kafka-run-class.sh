#!/bin/bash
# Quick to start: these brokers live for a test.
heap=${KAFKA_HEAP_OPTS:--Xmx512m} speed=${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseSerialGC -XX:TieredStopAtLevel=1}
# shellcheck disable=SC2086 # several options in each
exec java $heap $speed -Dorg.slf4j.simpleLogger.defaultLogLevel="${LOG_LEVEL:-warn}" ${KAFKA_OPTS:-} -cp '/opt/kafka/libs/*' "$@"
