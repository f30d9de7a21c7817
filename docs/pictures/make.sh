#!/bin/sh
# make.sh makes the pictures of the screen anew, from a real terminal (tmux) in
# which the screen runs for a phone that a test plays. The same test compares
# what the terminal shows with internal/tui/testdata, which is made anew, too.
set -eu
cd "$(dirname "$0")/../.."
export GOFLAGS=-tags=nolibopusfile
go test -count 1 -run '^TestScreen$' ./internal/tui -update
git --no-pager diff --stat -- docs/pictures internal/tui/testdata
