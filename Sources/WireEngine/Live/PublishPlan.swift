internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WirePlan
import WireState

extension Publishing {
  /// Decides, claims and records, in one transaction, what more is published. A port whose holder is gone is taken from it.
  static func plan(
    _ before: Attachment, _ ports: [String], interface name: String?, allow: [String], on host: borrowing Host
  ) throws(WireError) -> Attachment {
    let index = try index(of: name, in: before)
    let interface = before.interfaces[index]
    var annotations = [(key: "wirehook.ports", value: ports.joined(separator: ","))]
    if !allow.isEmpty { annotations.append((key: "wirehook.allow", value: allow.joined(separator: ","))) }
    guard let request = try ContainerRequest.parse(annotations: annotations).interfaces.first else { return before }
    let network = try network(of: interface, on: host)
    let addresses = network.publishOn.isEmpty ? host.main.publishOn : network.publishOn
    let planner = PortPlanner(container: before.container, interface: interface, network: network)
    for _ in 0..<64 {
      do throws(PlanFailure) {
        return try claim(before, planner, request, addresses, at: index, on: host)
      } catch {
        switch error {
        case .refused(let error), .exhausted(_, let error): throw error
        case .taken(let holder, let error):
          guard holder != before.container.id, try Collector.releaseIfGone(holder, on: host) else { throw error }
        }
      }
    }
    throw WireError("publishing ports", "others took them again and again", hint: "run: wirehook gc")
  }

  private static func claim(
    _ before: Attachment, _ planner: PortPlanner, _ request: InterfaceRequest, _ addresses: [IPAddress], at index: Int,
    on host: borrowing Host
  ) throws(PlanFailure) -> Attachment {
    do throws(WireError) { try host.locks.lock(.store, until: host.deadline) } catch { throw .refused(error) }
    defer { host.locks.unlock(.store) }
    return try host.store.transaction(failure: { .refused(Hints.explain($0)) }) { () throws(PlanFailure) in
      var after = before
      let new = try planner.plan(
        request, publishOn: addresses, book: host.store, hostPorts: HostPortProbe(deadline: host.deadline))
      for port in new {
        if let there = before.ports.first(where: { $0.mapping.collides(with: port.mapping) }) {
          throw .refused(there.takenAlready(by: port))
        }
      }
      after.ports += new
      if !after.isWiredByOthers, after.interfaces[index].switchPort == nil,
        NetworkChoice.isOn("net", "bridge", "bridge-nf-call-iptables")
      {
        after.interfaces[index].hairpin = true
      }
      do throws(StateError) {
        try host.store.setDocument(Records.document(after), of: before.container.id)
      } catch {
        throw .refused(Hints.explain(error))
      }
      return after
    }
  }

  private static func index(of name: String?, in attachment: Attachment) throws(WireError) -> Int {
    let found = attachment.interfaces.firstIndex { interface in
      name.map { interface.name.description == $0 } ?? !interface.addresses.isEmpty
    }
    guard let found else {
      let names = attachment.interfaces.map { $0.name.description }.joined(separator: ", ")
      throw WireError(
        "publishing ports of \(attachment.container.owner.quoted)",
        name.map { "it has no interface \($0.quoted)" } ?? "it has no address", hint: "it has \(names)")
    }
    return found
  }

  /// The network of an interface, for what it says of publishing; one without a file says nothing.
  private static func network(of interface: AttachedInterface, on host: borrowing Host) throws(WireError) -> Network {
    if !NetworkSetup.isOnTheSpot(interface.network),
      let network = try host.configuration.network(named: interface.network)
    {
      return network
    }
    return Network(name: interface.network, bridge: interface.bridge, subnets: [])
  }

  /// Records a container that somebody else wired, with what of its network ports can be published to.
  static func recordForeign(_ target: LiveTarget, on host: borrowing Host) throws(WireError) -> Attachment {
    let namespace = try target.open(home: host.namespace.identity)
    let netns = namespace.identity
    let side = try ContainerSide(namespace, home: host.namespace)
    let interfaces = try ForeignContainer.interfaces(in: side, on: host)
    guard !interfaces.isEmpty else {
      throw WireError(
        "publishing ports of \(target.identity.owner.quoted)",
        "none of its interfaces has an address and is a port of a bridge of this host",
        hint: "give it a network first: wirehook attach")
    }
    var attachment = Attachment(container: target.identity, interfaces: interfaces, ports: [])
    attachment.isWiredByOthers = true
    let record = ContainerRecord(
      id: target.identity.id, name: target.identity.name, bundle: target.bundle ?? "", runtime: "wirehook publish",
      pid: side.process.pid, pidStart: side.process.startTime,
      netns: netns, status: .attached, created: Int64(time(nil)),
      document: Records.document(attachment))
    try host.change { () throws(StateError) in try host.store.record(record) }
    return attachment
  }
}

/// A published port as a person names one to take back: `[HOSTIP:]PORT[-END][/tcp|udp|sctp]`.
struct PublishedPortName {
  private let text: String
  private let request: PortRequest

  init(_ text: String) throws(WireError) {
    self.text = text
    let halves = text.split(separator: "/", maxSplits: 1)
    let suffix = halves.count == 2 ? "/\(halves[1])" : ""
    let place = halves.first.map { String($0) } ?? ""
    // Read as a port that is published to itself.
    let port = place.split(separator: ":").last.map { String($0) } ?? ""
    let value = "\(place):\(port)\(suffix)"
    do throws(WireError) {
      let parsed = try ContainerRequest.parse(annotations: [(key: "wirehook.ports", value: value)])
      guard let request = parsed.interfaces.first?.ports.first, request.hostPorts != nil else {
        throw Self.refusal(text)
      }
      self.request = request
    } catch {
      throw Self.refusal(text)
    }
  }

  private static func refusal(_ text: String) -> WireError {
    WireError("port \(text.quoted)", "expected [HOSTIP:]PORT[-END][/tcp|udp|sctp], the host's port")
  }

  /// Those of an attachment that it names; an error where there is none.
  func matches(in attachment: Attachment) throws(WireError) -> [PublishedPort] {
    let found = attachment.ports.filter { port in
      port.mapping.transport == request.transport && request.hostPorts?.contains(port.mapping.hostPort) ?? false
        && (request.hostAddress == nil || request.hostAddress == port.mapping.hostAddress)
    }
    guard found.isEmpty else { return found }
    let there = attachment.ports.map { $0.mapping.description }.joined(separator: ", ")
    throw WireError(
      "unpublishing \(text.quoted) of \(attachment.container.owner.quoted)", "it is not published",
      hint: there.isEmpty ? "nothing of it is" : "published are \(there)")
  }
}
