// metrics-server's own server with another start: its command line refuses to look more often than
// every 10 seconds, and a test of the autoscaler looks every 5. It is built with the libraries of the
// Kubernetes beside it: what was compiled for that is not compiled again.
package main

import (
	"flag"
	"log"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/pkg/generated/openapi"

	"sigs.k8s.io/metrics-server/pkg/api"
	"sigs.k8s.io/metrics-server/pkg/scraper/client"
	"sigs.k8s.io/metrics-server/pkg/server"
)

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func apiserver(port int, folder string) *genericapiserver.Config {
	config := genericapiserver.NewConfig(api.Codecs)
	secure := genericoptions.NewSecureServingOptions().WithLoopback()
	secure.BindPort = port
	secure.ServerCert.CertDirectory = folder
	check(secure.MaybeDefaultWithSelfSignedCerts("localhost", nil, []net.IP{net.IPv4(127, 0, 0, 1)}))
	check(secure.ApplyTo(&config.SecureServing, &config.LoopbackClientConfig))
	authentication := genericoptions.NewDelegatingAuthenticationOptions()
	check(authentication.ApplyTo(&config.Authentication, config.SecureServing, nil))
	check(genericoptions.NewDelegatingAuthorizationOptions().ApplyTo(&config.Authorization))
	names := openapinamer.NewDefinitionNamer(api.Scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(openapi.GetOpenAPIDefinitions, names)
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, names)
	config.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	return config
}

func main() {
	resolution := flag.Duration("metric-resolution", 15*time.Second, "how often the kubelets are asked")
	port := flag.Int("secure-port", 10250, "where it listens")
	folder := flag.String("cert-dir", "/tmp", "where its certificate is kept")
	authority := flag.String("kubelet-certificate-authority", "", "who signed the kubelets' certificates")
	flag.Parse()

	cluster := must(rest.InClusterConfig())
	cluster.ContentType = "application/vnd.kubernetes.protobuf"
	check(rest.SetKubernetesDefaults(cluster))
	kubelet := &client.KubeletClientConfig{
		Scheme:              "https",
		DefaultPort:         10250,
		AddressTypePriority: []corev1.NodeAddressType{corev1.NodeInternalIP},
		Client:              *rest.CopyConfig(cluster),
	}
	kubelet.Client.CAFile, kubelet.Client.CAData = *authority, nil
	config := server.Config{
		Apiserver:        apiserver(*port, *folder),
		Rest:             cluster,
		Kubelet:          kubelet,
		MetricResolution: *resolution,
		ScrapeTimeout:    *resolution * 9 / 10,
	}
	check(must(config.Complete()).RunUntil(genericapiserver.SetupSignalHandler()))
}
