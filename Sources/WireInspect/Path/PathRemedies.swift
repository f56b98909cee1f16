import WireConfig
import WireCore
import WireEngine
import WirePlan

/// The commands of wirehook's own that let through what a rule of ours stops.
extension PathWalk {
  /// Whoever sends from a network of ours.
  func sender(behind link: LinkFacts) -> WiredContainer? {
    guard let source = packet.source else { return nil }
    return owner(of: translation.source ?? source, on: nil)?.0
  }

  /// A second network gives the way out that an internal one has not.
  func wayOut(of container: WiredContainer) -> String? {
    let own = Set(container.attachment.interfaces.map { $0.network })
    let isInternal = source.setups.contains { $0.isInternal && own.contains($0.network) }
    guard isInternal else { return nil }
    let open = source.setups.first { setup in
      !setup.isInternal && setup.managed && !own.contains(setup.network) && !setup.masquerade.isEmpty
    }
    return attach(container, to: open?.network ?? "default")
  }

  /// Onto the network of whoever is called: what is on one bridge is not isolated.
  func networkCommand(behind input: LinkFacts, of output: LinkFacts) -> String? {
    guard let container = sender(behind: input),
      let network = source.setups.first(where: { $0.link.description == output.name })?.network
    else { return nil }
    return attach(container, to: network)
  }

  private func attach(_ container: WiredContainer, to network: String) -> String {
    "wirehook attach \(container.attachment.container.owner) --network \(network)"
  }

  var publishCommand: String? {
    guard let (container, _) = owner(of: packet.destination, on: nil), let port = packet.port else { return nil }
    return "wirehook publish \(container.attachment.container.owner) \(port):\(port)\(suffix)"
  }

  /// Publishes the port anew, with the source on its list.
  var allowCommand: String? {
    guard let (container, _) = owner(of: packet.destination, on: nil), let source = packet.source else { return nil }
    let published = container.attachment.ports.first { port in
      port.mapping.transport == packet.transport && port.mapping.containerPort == packet.port
        && (translation.called?.port ?? port.mapping.hostPort) == port.mapping.hostPort
    }
    guard let published else { return nil }
    let (mapping, name) = (published.mapping, container.attachment.container.owner)
    let host = mapping.hostAddress.map { $0.family == .ipv6 ? "[\($0)]:" : "\($0):" } ?? ""
    let sources = ((published.allow ?? []).map { "\($0)" } + ["\(source)"]).map { " --allow \($0)" }.joined()
    return "wirehook unpublish \(name) \(host)\(mapping.hostPort)\(suffix) && "
      + "wirehook publish \(name) \(host)\(mapping.hostPort):\(mapping.containerPort)\(suffix)\(sources)"
  }

  private var suffix: String { packet.transport == .udp ? "/udp" : "" }
}
