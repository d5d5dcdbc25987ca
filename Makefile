# SPDX-License-Identifier: Apache-2.0

.DEFAULT_GOAL := help
.PHONY: help build test race bench lint fmt gen ci clean

help: ## print this
	@sed -nE 's/^([a-z]+):.*## (.*)/\1|\2/p' Makefile | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

build: ## build ./lodger
	CGO_ENABLED=0 go build -o lodger ./cmd/lodger

test: ## run the tests (what cannot run here says why)
	go vet ./... && go test ./...

race: ## run the kernel's tests under the race detector
	go test -race -short ./lib/... ./block/... ./mm/... ./fs/... ./drivers/... ./kernel/... ./sys/... ./init/... ./test/e2e/...

bench: ## measure native and guest side by side
	go run ./bench

lint: ## check layers, habits and format only
	go test ./internal/lint

fmt: ## format the tree
	gofmt -w $$(git ls-files '*.go')

gen: ## write generated files anew
	go generate ./...

ci: ## what CI runs; as root it installs what tests need
	.ci/run

clean: ## remove what was built here
	rm -rf lodger build
