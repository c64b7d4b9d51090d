"""A real single-node Kubernetes for tests and benches, made from package registries alone.

`python -m tests.cluster up` builds what is missing, starts etcd, the control plane, containerd, kubelet
and kube-proxy, and installs CoreDNS, metrics-server and a storage class. The node lives in namespaces
of its own (network, mounts, process ids): its bridge, its iptables rules, its mounts and its containers
end with one process.
"""
