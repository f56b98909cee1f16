import Glibc
import WireCore
import WireEngine
import WireJSON
import WirePlan
import WireView

/// All counters at one moment.
struct TrafficSample {
  var interfaces: [InterfaceTraffic]
  var containers: [WiredContainer]
  /// Of published ports; nil while they are off.
  var counters: PortCounters?
  /// Of the monotonic clock.
  var milliseconds: Int64

  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  func interfaceTable(since before: TrafficSample?, rates: Bool) -> Table {
    var columns = [Table.Column("CONTAINER", .left, .name, isCut: true), Table.Column("INTERFACE")]
    if rates { columns += [Table.Column("RATE IN", .right), Table.Column("RATE OUT", .right)] }
    columns += ["RECEIVED", "SENT", "PACKETS IN", "PACKETS OUT"].map { Table.Column($0, .right) }
    columns += ["DROPPED", "ERRORS"].map { Table.Column($0, .right, .dim) }
    var table = Table(columns)
    let earlier = before.map { before in
      Dictionary(before.interfaces.map { ($0.interface.hostLink, $0) }) { first, _ in first }
    }
    for traffic in interfaces {
      let was = earlier?[traffic.interface.hostLink]
      var cells = [traffic.container.attachment.container.owner, traffic.interface.name.description]
      if rates {
        let time = before.map { milliseconds - $0.milliseconds } ?? 0
        cells += [rate(traffic.received, was?.received, time), rate(traffic.sent, was?.sent, time)]
      }
      cells += [traffic.received, traffic.sent].map { $0.map { Amount.bytes($0.bytes) } ?? "-" }
      cells += [traffic.received, traffic.sent].map { $0.map { "\($0.packets)" } ?? "-" }
      let both = (traffic.received ?? TrafficCounters()) + (traffic.sent ?? TrafficCounters())
      table.add(cells + ["\(both.drops)", "\(both.errors)"])
    }
    return table
  }

  /// Nothing before there are two samples, or where a counter went back: then the link is another one.
  private func rate(_ now: TrafficCounters?, _ before: TrafficCounters?, _ time: Int64) -> String {
    guard let now, let before, now.bytes >= before.bytes else { return "" }
    return Amount.rate(bytes: now.bytes - before.bytes, milliseconds: time)
  }

  /// The published ports; nil while their counters are off.
  var portTable: Table? {
    guard let counters else { return nil }
    var table = Table(
      [Table.Column("CONTAINER", .left, .name, isCut: true), Table.Column("PORT", .left, .port, isCut: true)]
        + ["RECEIVED", "SENT", "PACKETS IN", "PACKETS OUT"].map { Table.Column($0, .right) })
    for container in containers {
      // Neighbours are one row, with what they carried together.
      for range in PortRange.joining(container.attachment.ports.map { $0.mapping }) {
        var (received, sent) = (TrafficCounters(), TrafficCounters())
        for port in container.attachment.ports where range.contains(port.mapping) {
          let both = counters.counters(of: port)
          (received, sent) = (received + both.received, sent + both.sent)
        }
        table.add([
          container.attachment.container.owner, range.text(), Amount.bytes(received.bytes), Amount.bytes(sent.bytes),
          "\(received.packets)", "\(sent.packets)",
        ])
      }
    }
    return table
  }

  var json: JSONValue {
    .array(
      containers.map { container in
        let identity = container.attachment.container
        let own = interfaces.filter { $0.container.attachment.container.id == identity.id }
        return .object([
          .init("id", .string(identity.id)), .init("name", .string(identity.owner)),
          .init(
            "interfaces",
            .array(
              own.map { traffic in
                .object([
                  .init("name", .string(traffic.interface.name.description)),
                  .init("network", .string(traffic.interface.network)),
                  .init("received", json(traffic.received)), .init("sent", json(traffic.sent)),
                ])
              })),
          .init("ports", .array(container.attachment.ports.map { json($0) })),
        ])
      })
  }

  private func json(_ counters: TrafficCounters?) -> JSONValue {
    guard let counters else { return .null }
    return .object([
      .init("bytes", .integer(Int64(clamping: counters.bytes))),
      .init("packets", .integer(Int64(clamping: counters.packets))),
      .init("drops", .integer(Int64(clamping: counters.drops))),
      .init("errors", .integer(Int64(clamping: counters.errors))),
    ])
  }

  private func json(_ port: PublishedPort) -> JSONValue {
    let both = counters?.counters(of: port)
    let json = { (counters: TrafficCounters?) -> JSONValue in
      guard let counters else { return .null }
      return .object([
        .init("bytes", .integer(Int64(clamping: counters.bytes))),
        .init("packets", .integer(Int64(clamping: counters.packets))),
      ])
    }
    return .object([
      .init("protocol", .string(port.mapping.transport.rawValue)),
      .init("hostIP", .string(port.mapping.hostAddress?.description ?? "")),
      .init("hostPort", .integer(Int64(port.mapping.hostPort))),
      .init("containerPort", .integer(Int64(port.mapping.containerPort))),
      .init("received", json(both?.received)), .init("sent", json(both?.sent)),
    ])
  }
}
