"""The node: containerd, kubelet and kube-proxy in namespaces of their own.

One process holds a network, a mount and a process-id namespace. When it ends, however it ends, the
kernel ends every process in them, unmounts everything and removes the bridge, the rules and the link
to the host. /run, /var/lib and /var/log are the node's own there, so nothing collides with the
machine's containerd or with another cluster.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from pathlib import Path

import psutil

from tests.cluster import images, layers, processes, tools
from tests.cluster.errors import ClusterError
from tests.cluster.folder import Facts, Folder

NAME = "slipway-test"
HOLDER = "node"
SYS_RESOURCE = 24
"""The capability's bit in the kernel's mask."""

KERNEL = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
"""What a kubelet demands of the whole machine. It is shown this, and the machine stays as it is."""

SETUP = """
set -e
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /run/lock /run/netns /var/lib/kubelet
mkdir /run/kernel
for pair in {kernel}; do
    echo "${{pair#*=}}" > "/run/kernel/$(basename "${{pair%=*}}")"
    mount --bind "/run/kernel/$(basename "${{pair%=*}}")" "/proc/sys/${{pair%=*}}"
done
[ -e /dev/kmsg ] || ln -s /dev/null /dev/kmsg
ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
ip address add {node_ip}/30 dev eth0
ip link set eth0 up
ip route add default via {host_ip}
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables || true
: > {folder}/node.ready
while :; do sleep 3600 & wait $!; done
"""


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"`ip {' '.join(words)}` failed: {done.stderr.strip()}")


def claim_index() -> int:
    """The lowest index (0 to 63) no cluster on this machine has; the kernel keeps the claim.

    The claim is a network link, which goes away with the node. Raises ClusterError when all are taken.
    """
    for index in range(64):
        link = f"slipway{index}"
        made = ["ip", "link", "add", link, "type", "veth", "peer", "name", f"{link}n"]
        if subprocess.run(made, capture_output=True, check=False).returncode == 0:
            return index
        said = subprocess.run(["ip", "link", "show", link], capture_output=True, check=False)
        if said.returncode:
            raise ClusterError("no veth link can be made", "does the kernel have CONFIG_VETH?")
    raise ClusterError("64 clusters stand on this machine", "end one: make cluster-down")


def release_index(facts: Facts) -> None:
    """Take the link away, where the node never got its end."""
    subprocess.run(["ip", "link", "delete", facts.link], capture_output=True, check=False)


def hold(folder: Folder, facts: Facts) -> None:
    """Start what holds the namespaces, and connect them with the host."""
    (folder / "node.ready").unlink(missing_ok=True)
    script = SETUP.format(
        node_ip=facts.node_ip,
        host_ip=facts.host_ip,
        folder=folder.path,
        kernel=" ".join(f"{name}={value}" for name, value in KERNEL.items()),
    )
    spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    processes.start(
        folder, HOLDER, ["unshare", *spaces, "--propagation", "private", "bash", "-c", script]
    )
    processes.wait_for(
        "the node's namespaces", lambda: _inside(folder) is not None, 10, folder, HOLDER
    )
    inside = _inside(folder)
    _ip("link", "set", f"{facts.link}n", "netns", str(inside), "name", "eth0")
    _ip("address", "add", f"{facts.host_ip}/30", "dev", facts.link)
    _ip("link", "set", facts.link, "up")
    for network in (facts.pods, facts.services):
        _ip("route", "replace", network, "via", facts.node_ip, "dev", facts.link)
    processes.wait_for("the node's setup", (folder / "node.ready").exists, 10, folder, HOLDER)


def _inside(folder: Folder) -> int | None:
    """The first process in the namespaces, once it is bash: unshare has made all of them then."""
    held = processes.worker(folder, HOLDER)
    with contextlib.suppress(psutil.Error):
        if held is not None and held.name() == "bash":
            return held.pid
    return None


def first_process(folder: Folder) -> int:
    """Whose namespaces are the node's. Raises ClusterError when there is none."""
    inside = _inside(folder)
    if inside is None:
        raise ClusterError(f"no node in {folder.path}", "make cluster-up")
    return inside


def enter(folder: Folder, mount_only: bool = False) -> list[str]:
    """Words that start a command on the node. Raises ClusterError when there is none."""
    inside = first_process(folder)
    spaces = ["-m"] if mount_only else ["-m", "-n", "-p"]
    return ["nsenter", "-t", str(inside), *spaces, f"--wd={folder.path}", "--"]


def _lacks_sys_resource() -> bool:
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("CapEff:"):
            return not int(line.split()[1], 16) >> SYS_RESOURCE & 1
    return False


def configure(folder: Folder, facts: Facts) -> None:
    """Write containerd's, the network's, kubelet's and kube-proxy's settings."""
    _write_containerd(folder)
    _write_network(folder, facts)
    (folder / "resolv.conf").write_text("", "utf-8")
    kubelet = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{facts.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{folder.containerd_socket}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(folder / "pki/ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(folder / "pki/kubelet.crt"),
        "tlsPrivateKeyFile": str(folder / "pki/kubelet.key"),
        "clusterDNS": [facts.service_ip(10)],
        "clusterDomain": "cluster.local",
        "resolvConf": str(folder / "resolv.conf"),
        "volumePluginDir": str(folder / "kubelet-plugins"),
        "podLogsDir": str(folder / "pods"),
        "maxPods": 200,
        "oomScoreAdj": 0,
        "registerNode": True,
        "nodeStatusUpdateFrequency": "5s",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }
    proxy = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": facts.pods,
        "hostnameOverride": NAME,
        "oomScoreAdj": 0,
        "clientConnection": {"kubeconfig": str(folder / "proxy.kubeconfig")},
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
    (folder / "kubelet.json").write_text(json.dumps(kubelet, indent=1), "utf-8")
    (folder / "proxy.json").write_text(json.dumps(proxy, indent=1), "utf-8")


def _write_containerd(folder: Folder) -> None:
    restrict = "true" if _lacks_sys_resource() else "false"
    (folder / "containerd.toml").write_text(
        f"""version = 2
root = "{folder / "containerd"}"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "{folder.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder / "opt"}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.PAUSE}"
  restrict_oom_score_adj = {restrict}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder / "cni"}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{layers.of_containerd(folder.path)}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
""",
        "utf-8",
    )


def _write_network(folder: Folder, facts: Facts) -> None:
    (folder / "cni").mkdir(exist_ok=True)
    network = {
        "cniVersion": "0.4.0",
        "name": "slipway-test",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": facts.pods, "rangeEnd": facts.last_pod_ip}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    (folder / "cni/10-slipway.conflist").write_text(json.dumps(network, indent=1), "utf-8")


def start_containerd(folder: Folder) -> None:
    """Until it answers."""
    argv = [*enter(folder), "containerd", "--config", str(folder / "containerd.toml")]
    processes.start(folder, "containerd", argv)
    answer = [
        "ctr",
        "--address",
        str(folder.containerd_socket),
        "--connect-timeout",
        "1s",
        "version",
    ]

    def ready() -> bool:
        return (
            folder.containerd_socket.exists()
            and subprocess.run(answer, capture_output=True, check=False).returncode == 0
        )

    processes.wait_for("containerd", ready, 30, folder, "containerd")


def start_kubelet(folder: Folder, facts: Facts) -> None:
    """Returns at once; the node becomes Ready some seconds later."""
    argv = [
        *enter(folder),
        str(tools.program("kubelet")),
        f"--config={folder / 'kubelet.json'}",
        f"--kubeconfig={folder / 'kubelet.kubeconfig'}",
        f"--root-dir={folder / 'kubelet'}",
        f"--hostname-override={NAME}",
        f"--node-ip={facts.node_ip}",
        "--housekeeping-interval=5s",
    ]
    processes.start(folder, "kubelet", argv)


def start_proxy(folder: Folder) -> None:
    argv = [*enter(folder), str(tools.program("kube-proxy")), f"--config={folder / 'proxy.json'}"]
    processes.start(folder, "kube-proxy", argv)


def clear(folder: Folder) -> None:
    """The node's files; its mounts have ended with it."""
    for name in ("containerd", "kubelet", "pods", "cni", "opt"):
        shutil.rmtree(folder / name, ignore_errors=True)
