"""What must hold together between the files of this folder, beyond what their schemas say.

Run by check.sh. Besides comparing ports and labels, it runs the start script of kubernetes.yaml
with a stand-in for the binary, for each way in which a pod can begin.
"""

import http.server
import os
import stat
import subprocess
import sys
import tempfile
import threading

import yaml

problems = []


def demand(holds, what):
    if not holds:
        problems.append(what)


def documents(name):
    with open(name, encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


# ---- Kubernetes ---------------------------------------------------------------------------------

by_kind = {}
for document in documents("kubernetes.yaml"):
    by_kind.setdefault(document["kind"], {})[document["metadata"]["name"]] = document

stateful = by_kind["StatefulSet"]["countersign"]["spec"]
pod = stateful["template"]["spec"]
container = pod["containers"][0]
labels = stateful["template"]["metadata"]["labels"]
services = by_kind["Service"]
headless = services[stateful["serviceName"]]["spec"]
ports = {port["name"]: port["containerPort"] for port in container["ports"]}

demand(stateful["selector"]["matchLabels"] == labels, "the StatefulSet selects its own pods")
for name, service in services.items():
    demand(service["spec"]["selector"].items() <= labels.items(), f"{name} selects the pods")
    for port in service["spec"]["ports"]:
        demand(port["targetPort"] in ports, f"{name}: {port['targetPort']} is a container port")
demand(headless["clusterIP"] == "None", "the peers' service is headless")
demand(headless.get("publishNotReadyAddresses"), "peers find each other before they are ready")
demand(stateful["podManagementPolicy"] == "Parallel", "no pod waits for another to become ready")
budget = by_kind["PodDisruptionBudget"]["countersign"]["spec"]
demand(budget["maxUnavailable"] == 1, "draining takes one node at a time")
demand(budget["selector"]["matchLabels"] == labels, "the budget is for the pods")
demand(pod.get("enableServiceLinks") is False, "no COUNTERSIGN_PORT from Kubernetes")
demand(pod["terminationGracePeriodSeconds"] >= 30, "time to hand over and to finish")
for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
    demand(container[probe]["httpGet"]["path"] == path, f"{probe} asks {path}")
    demand(container[probe]["httpGet"]["port"] in ports, f"{probe} asks a container port")
startup = container["startupProbe"]
demand(startup["periodSeconds"] * startup["failureThreshold"] > 300, "joining may take five minutes")
demand("ConfigMap" not in by_kind, "the founding ConfigMap is not among what is applied over and over")


def begins(pod_name, founding, serving=None):
    """Runs the start script; answers the arguments that the binary was given."""
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "countersign")
        with open(binary, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\necho "$@"\n')
        os.chmod(binary, os.stat(binary).st_mode | stat.S_IXUSR)
        script = container["args"][0]
        # Another pod that serves, or that does not, is a port of this machine.
        script = script.replace("/dev/tcp/$1/8080", "/dev/tcp/127.0.0.1/$PORT")
        environment = {"PATH": folder + ":" + os.environ["PATH"], "POD_NAME": pod_name}
        environment["PORT"] = str(serving or 1)
        if founding:
            environment["FOUNDING_POD"] = founding
        ran = subprocess.run(
            [*container["command"], script], env=environment, capture_output=True, text=True, timeout=60
        )
        demand(ran.returncode == 0, f"the start script ends well: {ran.stderr}")
        return ran.stdout


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


demand("--bootstrap" in begins("countersign-0", "countersign-0"), "the named pod founds")
demand("--bootstrap" not in begins("countersign-0", None), "no pod founds without the ConfigMap")
demand("--bootstrap" not in begins("countersign-1", "countersign-0"), "only the named pod founds")
joins = begins("countersign-0", None)
demand("countersign-2.countersign-peers:7080," in joins, "a pod joins through the others")
demand("countersign-0.countersign-peers:7080," not in joins, "a pod does not ask itself")
demand("--name countersign-0 " in joins, "a node is named after its pod")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
threading.Thread(target=server.serve_forever, daemon=True).start()
lost = begins("countersign-0", "countersign-0", server.server_port)
demand("--bootstrap" not in lost and "--join" in lost, "with others there, the named pod joins")
server.shutdown()

# ---- Compose ------------------------------------------------------------------------------------

compose = documents("compose.yaml")[0]
nodes = {name: service for name, service in compose["services"].items() if name != "haproxy"}
demand(len(nodes) == 3, "compose.yaml has three nodes")
for name, service in nodes.items():
    environment = service["environment"]
    demand(environment["COUNTERSIGN_NAME"] == name, f"{name} bears its name")
    demand(environment["COUNTERSIGN_PEER_ADVERTISE"] == f"{name}:7080", f"{name} says where it is")
    demand(f"{name}:/var/lib/countersign" in service["volumes"], f"{name} has a volume of its own")
    others = [f"{other}:7080" for other in nodes if other != name]
    demand(all(other in service["command"] for other in others), f"{name} joins through the others")
with open("haproxy.cfg", encoding="utf-8") as file:
    balancer = file.read()
for name in nodes:
    demand(f"server {name} {name}:8080" in balancer, f"HAProxy knows {name}")
demand("uri /readyz" in balancer, "HAProxy asks /readyz")
demand("http-request deny if { path /metrics }" in balancer, "HAProxy shows no metrics")
demand("option forwardfor" in balancer, "HAProxy says whom it forwards for")
for name, service in nodes.items():
    trusted = service["environment"].get("COUNTERSIGN_TRUSTED_PROXIES")
    subnets = [one["subnet"] for one in compose["networks"]["nodes"]["ipam"]["config"]]
    demand(trusted in subnets, f"{name} believes HAProxy whom it forwards for")

# ---- Prometheus ---------------------------------------------------------------------------------

tests = documents("alerts_test.yaml")[0]["tests"]
fired = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one["exp_alerts"]}
silent = {one["alertname"] for test in tests for one in test["alert_rule_test"] if not one["exp_alerts"]}
for group in documents("alerts.yaml")[0]["groups"]:
    for rule in group["rules"]:
        demand(rule["alert"] in fired & silent, f"{rule['alert']} fires, and does not, in alerts_test.yaml")
        demand(rule.get("expr") and rule["annotations"].get("summary"), f"{rule['alert']} says what it is")

for problem in problems:
    print(f"not so: {problem}")
sys.exit(bool(problems))
