// metrics-server as it is, but for one check of its command line: that one refuses to look more often
// than every 10 seconds, and a test of the autoscaler looks every 5.
package main

import (
	"log"
	"os"
	"time"

	"github.com/spf13/pflag"
	genericapiserver "k8s.io/apiserver/pkg/server"

	"sigs.k8s.io/metrics-server/cmd/metrics-server/app/options"
)

func main() {
	opts := options.NewOptions()
	flags := pflag.NewFlagSet("metrics-server", pflag.ExitOnError)
	for _, set := range opts.Flags().FlagSets {
		flags.AddFlagSet(set)
	}
	opts.KubeletClient.KubeletRequestTimeout = 4 * time.Second
	if err := flags.Parse(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
	config, err := opts.ServerConfig()
	if err != nil {
		log.Fatal(err)
	}
	server, err := config.Complete()
	if err != nil {
		log.Fatal(err)
	}
	if err := server.RunUntil(genericapiserver.SetupSignalHandler()); err != nil {
		log.Fatal(err)
	}
}
