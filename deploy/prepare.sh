#!/bin/sh
# Writes what Envoy reads: its configuration, generated from the contracts, and the descriptor set.
# May run again at any time; each file is replaced in one step.
set -eu
cp /app/generated/tintype/descriptors.binpb /gateway/descriptors.binpb.new
mv /gateway/descriptors.binpb.new /gateway/descriptors.binpb
tintype gateway "$@" > /gateway/envoy.yaml.new
mv /gateway/envoy.yaml.new /gateway/envoy.yaml
