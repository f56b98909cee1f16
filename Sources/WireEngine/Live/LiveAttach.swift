import WireConfig
package import WireCore
import WireLinux
package import WirePlan
import WireState

/// Gives a network to a container that runs already, as the hook gives one to a container that starts.
package enum LiveAttach {
  /// Attaches it, and answers what it has now. A container that wirehook has wired gets the networks that it is not on
  /// yet, each as one more interface; everything of it that stands stays as it is, its default route too.
  package static func attach(
    _ target: LiveTarget, _ annotations: [(key: String, value: String)], on host: borrowing Host
  ) throws(WireError) -> Attachment {
    let namespace = try target.open(home: host.namespace.identity)
    let netns = namespace.identity
    let side = try ContainerSide(namespace, home: host.namespace)
    let id = target.identity.id
    try host.locks.lock(.container(id), until: host.deadline)
    let standing = try Standing.read(id, netns, on: host)
    if let owner = try standing.owner(besides: id, on: host) {
      throw WireError(
        "attaching \(target.identity.owner.quoted)", "its network namespace is that of container \(owner)")
    }
    let before = try own(standing, netns, on: host)
    let surroundings = try Surroundings(before, in: side, until: host.deadline)
    let request = try self.request(annotations, surroundings, on: host)
    try refuse(request, surroundings, target, on: host)
    if before == nil { try standing.takeBackOwn(on: host) }

    let chosen = try NetworkChoice.choose(request, standing, on: host)
    var reservation = Reservation(
      container: before?.container ?? target.identity, bundle: target.bundle ?? "", process: side.process, netns: netns,
      names: nil)
    reservation.surroundings = surroundings
    let added = try reservation.make(chosen, on: host)
    do throws(WireError) {
      try Attach.make(added, chosen, standing, isInhabited: true, on: host, in: side)
      if before == nil { try Outcome.complete(id, on: host) }
    } catch {
      if let before {
        LiveRecord.cancel(added, backTo: before, on: host)
      } else {
        Outcome.cancel(added, isInhabited: true, on: host)
      }
      throw error
    }
    Announcer.announce(added, on: host, in: side)
    host.log.write(.info, "attached running container \(id): \(Attach.summary(added))")
    return surroundings.merged(added)
  }

  /// What this very namespace has by its record.
  private static func own(
    _ standing: Standing, _ netns: NamespaceIdentity, on host: borrowing Host
  ) throws(WireError) -> Attachment? {
    guard let own = standing.own, own.status == .attached, own.netns == netns, Collector.lives(own) else { return nil }
    return try Records.attachment(own)
  }

  private static func request(
    _ annotations: [(key: String, value: String)], _ surroundings: Surroundings, on host: borrowing Host
  ) throws(WireError) -> ContainerRequest {
    var annotations = annotations
    let index = annotations.firstIndex { $0.key == "wirehook.network" }
    let networks = index.map { annotations[$0].value } ?? host.main.defaultNetwork
    let named = (key: "wirehook.network", value: surroundings.naming(networks))
    if let index { annotations[index] = named } else { annotations.append(named) }
    let request = try ContainerRequest.parse(annotations: annotations)
    guard request.names == NameRequest() else {
      throw WireError(
        "attaching a running container", "its /etc/hosts and /etc/resolv.conf are not changed while it runs",
        hint: "leave wirehook.dns, dns-search, hosts and alias out")
    }
    if request.interfaces.contains(where: { !$0.ports.isEmpty }) {
      try FirewalldSettings.admitPublishing(until: host.deadline)
    }
    return request
  }

  private static func refuse(
    _ request: ContainerRequest, _ surroundings: Surroundings, _ target: LiveTarget, on host: borrowing Host
  ) throws(WireError) {
    let what = "attaching \(target.identity.owner.quoted)"
    guard !request.interfaces.isEmpty else {
      throw WireError(what, "no network was named", hint: "to take one away: wirehook detach")
    }
    if surroundings.attachment?.isWiredByOthers == true {
      throw WireError(what, "ports are published to the network that it has", hint: "wirehook unpublish them first")
    }
    for interface in request.interfaces {
      let network = interface.network?.description ?? host.main.defaultNetwork
      if let there = surroundings.attachment?.interfaces.first(where: { $0.network == network }) {
        throw WireError(
          what, "it is on network \(network) already, by \(there.name)", hint: "name another network with --network")
      }
      if surroundings.links.contains(interface.name.description) {
        throw WireError(
          what, "a link named \(interface.name) is in its network namespace already",
          hint: "give ours another name: --network \(network):IFNAME")
      }
    }
  }
}
