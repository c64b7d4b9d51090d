module slipway.test/registry

go 1.25

require github.com/google/go-containerregistry v0.20.6
