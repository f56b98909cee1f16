import ArgumentParser
import WireConfig
import WireCore
import WireEngine
import WireLinux
import WirePlan
import WireView

struct MetricsCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Print the state of all containers and networks for Prometheus.",
    discussion: """
      The text format of Prometheus, for the textfile collector of node_exporter:

      Examples:
        wirehook metrics
        wirehook metrics >/var/lib/prometheus/node-exporter/wirehook.prom
      """)

  @OptionGroup var shared: SharedOptions

  func perform() throws {
    let configuration = try shared.load()
    let deadline = Deadline.after(milliseconds: configuration.main.timeoutMilliseconds)
    let containers = try Inventory.all(configuration)
    let metrics = Metrics(
      containers: containers, interfaces: try TrafficReader.read(containers, until: deadline),
      pools: try PoolUse.all(configuration, containers),
      topology: try TopologyReader.read(configuration, until: deadline), counters: PortCounting.readIfPossible())
    print(metrics.text, terminator: "")
  }
}

/// What `wirehook metrics` says, family by family.
struct Metrics {
  var containers: [WiredContainer]
  var interfaces: [InterfaceTraffic]
  var pools: [PoolUse]
  var topology: Topology
  var counters: PortCounters?

  private typealias Sample = (labels: [(String, String)], value: String)

  var text: String {
    var page = Exposition()
    page.add("wirehook_build_info", .gauge, "The version, as a label.", [([("version", Version.text)], "1")])
    addContainers(to: &page)
    addInterfaces(to: &page)
    addPorts(to: &page)
    addNetworks(to: &page)
    return page.text
  }

  private func addContainers(to page: inout Exposition) {
    let statuses = [WiredContainer.Status.attached, .attaching, .gone]
    page.add(
      "wirehook_containers", .gauge,
      "Wired containers by status; gone: ended, and its network is still to be taken back.",
      statuses.map { status in
        ([("status", status.rawValue)], "\(containers.count { $0.status == status })")
      })
    page.add(
      "wirehook_published_ports", .gauge, "Host ports that a container publishes.",
      containers.map { (labels(of: $0), "\($0.attachment.ports.count)") })
  }

  private func addInterfaces(to page: inout Exposition) {
    let directions: [(String, String, KeyPath<InterfaceTraffic, TrafficCounters?>)] = [
      ("receive", "received by", \.received), ("transmit", "sent by", \.sent),
    ]
    let kinds: [(String, String, KeyPath<TrafficCounters, UInt64>)] = [
      ("bytes", "Bytes", \.bytes), ("packets", "Packets", \.packets), ("drops", "Dropped packets", \.drops),
      ("errors", "Faulty packets", \.errors),
    ]
    for (direction, verb, side) in directions {
      for (kind, noun, counter) in kinds {
        let samples = interfaces.compactMap { traffic -> Sample? in
          guard let counters = traffic[keyPath: side] else { return nil }
          let own = [("interface", traffic.interface.name.description), ("network", traffic.interface.network)]
          return (labels(of: traffic.container) + own, "\(counters[keyPath: counter])")
        }
        page.add(
          "wirehook_interface_\(direction)_\(kind)_total", .counter, "\(noun) \(verb) a container's interface.", samples
        )
      }
    }
  }

  /// Only while the counters are on.
  private func addPorts(to page: inout Exposition) {
    guard let counters else { return }
    let ports = containers.flatMap { container in
      container.attachment.ports.map { port in
        let mapping = port.mapping
        let own = [
          ("protocol", mapping.transport.rawValue), ("host_ip", mapping.hostAddress?.description ?? ""),
          ("host_port", "\(mapping.hostPort)"), ("container_port", "\(mapping.containerPort)"),
        ]
        return (labels: labels(of: container) + own, counters: counters.counters(of: port))
      }
    }
    page.add(
      "wirehook_port_receive_bytes_total", .counter, "Bytes that callers sent to a published port.",
      ports.map { ($0.labels, "\($0.counters.received.bytes)") })
    page.add(
      "wirehook_port_receive_packets_total", .counter, "Packets that callers sent to a published port.",
      ports.map { ($0.labels, "\($0.counters.received.packets)") })
    page.add(
      "wirehook_port_transmit_bytes_total", .counter, "Bytes that a published port answered.",
      ports.map { ($0.labels, "\($0.counters.sent.bytes)") })
    page.add(
      "wirehook_port_transmit_packets_total", .counter, "Packets that a published port answered.",
      ports.map { ($0.labels, "\($0.counters.sent.packets)") })
  }

  private func addNetworks(to page: inout Exposition) {
    page.add(
      "wirehook_pool_addresses", .gauge, "Addresses that a subnet's pool can give.",
      pools.map { ([("network", $0.network), ("subnet", $0.subnet.description)], "\($0.capacity)") })
    page.add(
      "wirehook_pool_addresses_used", .gauge, "Addresses of the pool that containers have.",
      pools.map { ([("network", $0.network), ("subnet", $0.subnet.description)], "\($0.used)") })
    page.add(
      "wirehook_network_up", .gauge, "Whether the bridge of a network that was set up is there and up.",
      topology.bridges.flatMap { bridge in
        bridge.networks.map { network in
          ([("network", network.name), ("bridge", bridge.name)], bridge.exists && bridge.isUp ? "1" : "0")
        }
      })
  }

  private func labels(of container: WiredContainer) -> [(String, String)] {
    [("container", container.attachment.container.owner), ("id", container.attachment.container.id)]
  }
}
