# make        builds bin/sotto
# make help   lists the rest

.DEFAULT_GOAL := build
.PHONY: build man install deb demo test lint pure both race rest timed soak setup setup-test clean help
.NOTPARALLEL:

# Under an empty environment Go needs a home for its caches, and a path.
HOME := $(or $(HOME),$(shell getent passwd $$(id -u) 2>/dev/null | cut -d: -f6),/tmp)
PATH := $(or $(PATH),/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin):/usr/local/go/bin
export HOME PATH

# The Opus binding would else want opusfile, which sotto has no use for.
export GOFLAGS := -tags=nolibopusfile
export CGO_ENABLED := 1

# No C below these, and so the race detector and other systems are welcome.
PURE := ./identity/... ./onion/... ./call/... ./jitter/... ./voice ./voice/ogg

# Arguments for the demo, as in make demo ARGS='--speech me.wav --out heard'.
ARGS ?=
# For how long make soak tries each fuzz test.
FUZZTIME ?= 10m

# Where it is built, and where it is installed.
BIN := bin
PREFIX ?= /usr/local
DESTDIR ?=
ZSH_FOLDER := site-functions

# What sotto version says, from git where there is one. The same commit gives the same program.
RELEASE := $(or $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null),unreleased)
COMMIT := $(or $(shell git describe --always --exclude '*' --abbrev=12 --dirty 2>/dev/null),unknown)
SOURCE_DATE_EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0)
export BIN PREFIX DESTDIR ZSH_FOLDER RELEASE COMMIT SOURCE_DATE_EPOCH
BUILD_FLAGS ?= -trimpath -buildvcs=false
STAMP := -s -w -X github.com/sottovoce/sotto/internal/cli.release=$(RELEASE) -X github.com/sottovoce/sotto/internal/cli.commit=$(COMMIT)

build: ## bin/sotto, and bin/sotto-bench
	@mkdir -p $(BIN)
	go build $(BUILD_FLAGS) -ldflags '$(STAMP)' -o $(BIN)/ ./cmd/...

man: build ## manual pages, in bin/man
	@rm -f $(BIN)/man/*.1
	$(BIN)/sotto man $(BIN)/man

install: ## what make has built, with all that goes with it, to DESTDIR and PREFIX=/usr/local
	@internal/packaging/install.sh $(BIN)/sotto

deb: build ## a Debian package, in bin
	@rm -rf $(BIN)/deb $(BIN)/sotto_*.deb
	@DESTDIR=$(BIN)/deb PREFIX=/usr ZSH_FOLDER=vendor-completions \
		internal/packaging/install.sh $(BIN)/sotto
	@internal/packaging/deb.sh $(BIN)/deb $(BIN)

demo: setup build ## a real call over a private Tor network on this machine; ARGS= are passed on
	$(BIN)/sotto demo $(ARGS)

test: setup-test lint pure both timed ## everything that must hold, in under 10 minutes
	@echo 'make test: all is well'

setup:
	@./setup.sh

setup-test:
	@./setup.sh test

lint: ## format, vet, staticcheck
	@echo '== gofumpt, go vet, staticcheck'
	@unformatted=$$(go tool gofumpt -l .) || exit 1; if [ "$$unformatted" ]; then \
		echo "not formatted, run go tool gofumpt -w:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...

pure:
	@echo '== the library builds without C'
	CGO_ENABLED=0 go build $(PURE)

# Of voice what goroutines share: the rest is sums, which the detector makes long.
race:
	@echo '== tests of the library, with the race detector'
	go test -race -timeout 8m $$(go list $(PURE) | grep -v -e /onion/tornet$$ -e /voice$$)
	go test -race -run 'Ring|Stream|Clocked|Player' ./voice
	go test -race -timeout 5m ./onion/tornet # not while ./onion has a network of its own

# These measure time, on sound servers and networks: one package at a time.
TIMED := ./cmd/sotto ./internal/phone ./voice/portaudio
timed:
	@echo '== tests of the whole program over real tor, and of real sound'
	go test -run 'Fast$$' ./identity/contact # the race detector slows it
	go test -p 1 -timeout 10m $(TIMED)

rest:
	@echo '== tests of everything else'
	go test -timeout 8m ./voice $$(go list ./... | grep -vxF "$$(go list $(PURE) $(TIMED))")

# Together: those of the library wait for networks most of the time.
both:
	@$(MAKE) --no-print-directory race & race=$$!; \
	$(MAKE) --no-print-directory rest; failed=$$?; wait $$race && exit $$failed

soak: setup-test build ## long: 200 starts, 100 kills, half an hour of two clocks, a weighed call, all tests with no network, every fuzz test for FUZZTIME
	@failed=; \
	try() { echo "== $$*"; "$$@" || failed="$$failed\n  $$*"; }; \
	export SOTTO_SOAK=1; \
	try go test -count 1 -v -timeout 60m -run '^TestCyclesLeaveNothing$$' ./onion; \
	try go test -count 1 -v -timeout 60m -run '^TestKilledLeavesNothing$$' ./cmd/sotto; \
	try go test -count 1 -v -run '^(TestBridge|TestBridgeAndResampler|TestTwoCards)$$' ./voice; \
	try go test -count 1 -v -run '^(TestNoDrift|TestMouthToEar)$$' ./internal/phone; \
	unset SOTTO_SOAK; \
	try $(MAKE) --no-print-directory alone; \
	for package in $$(go list ./...); do \
		for fuzz in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			try $(MAKE) --no-print-directory fuzz PACKAGE=$$package FUZZ=$$fuzz; \
		done; \
	done; \
	if [ "$$failed" ]; then printf "make soak: these have failed:$$failed\n"; exit 1; fi; \
	echo 'make soak: all is well'

# Where there is only loopback, the kernel counts datagrams, as names are asked
# for with, and whatever finds no way. The address is for tor, which without one
# asks for the way to 18.0.0.1 to learn its own. Root of a user namespace, if not root.
alone:
	@own='unshare -n'; $$own true 2>/dev/null || own='unshare -rn'; \
	$$own true || { echo 'no network namespace may be made here'; exit 1; }; \
	$$own sh -ec 'ip link set lo up; ip addr add 192.0.2.1/32 dev lo; go test -count 1 -p 1 -timeout 15m $(or $(PACKAGES),./...); \
		awk '\''$$1 == "Ip:" { lost = $$13 } $$1 == "Udp:" { asked = $$5 } \
			END { print asked " datagrams were sent, and " lost " packets found no way"; exit asked + lost > 0 }'\'' /proc/net/snmp'

# go test -fuzz now and then takes the end of its time for a failure. Then this
# and nothing else is said below the line of the failure: that is let pass.
fuzz:
	@said=$$(mktemp); trap 'rm -f "$$said"' EXIT; \
	go test -run '^$$' -fuzz "^$(FUZZ)\$$" -fuzztime $(FUZZTIME) $(PACKAGE) >"$$said" 2>&1 && { tail -n 2 "$$said"; exit 0; }; \
	if awk '/^--- FAIL/ { in_it = 1; next } in_it && /^    context deadline exceeded$$/ { ended++; next } \
		/^(fuzz: |FAIL|exit status 1|$$)/ { next } { more++ } END { exit !(ended == 1 && !more) }' "$$said"; \
	then tail -n 6 "$$said"; echo 'that is the end of its time, and no finding'; else cat "$$said"; exit 1; fi

clean: ## remove what was built
	rm -rf bin

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r target does; do \
		printf '%-14s %s\n' "$$target" "$$does"; done
