package import WireConfig
package import WireCore
package import WireOCI

/// What is known of the network namespace that a container is to have.
package struct NamespaceFacts: Sendable, Equatable {
  package struct Link: Sendable, Equatable {
    package var name: String
    package var isUp: Bool

    package init(name: String, isUp: Bool) {
      self.name = name
      self.isUp = isUp
    }
  }

  /// Every link in it.
  package var links: [Link]
  /// The container whose record names this very namespace, if it is not this one.
  package var recordedFor: String?

  package init(links: [Link], recordedFor: String?) {
    self.links = links
    self.recordedFor = recordedFor
  }
}

/// Whether a container is wired: its network namespace must be its own, and empty.
package enum Eligibility: Sendable, Equatable {
  case wire
  /// Not ours to touch, and no error.
  case leave
  case refuse(WireError)

  /// Decided by Docker's network mode, nil with every other engine: a container on one of Docker's networks is Docker's,
  /// whatever it asks for and though its namespace may be empty still.
  package static func byNetworkMode(_ mode: String?) -> Eligibility {
    mode == nil || mode == "none" ? .wire : .leave
  }

  /// Decided before the namespace is looked into: what the annotations and the bundle's namespace entry say (nil where the
  /// bundle could not be read). `auto`: a container that says nothing is wired too.
  package static func byRequest(
    _ request: ContainerRequest, namespace: Bundle.NetworkNamespace?, auto: Bool
  ) -> Eligibility {
    if request.optsOut || !(request.isExplicit || auto) { return .leave }
    switch namespace {
    case .host: return .leave
    // A process's own entry in /proc: the container joins another one.
    case .path(let path) where path.hasPrefix("/proc/"): return .leave
    // Somebody made the namespace beforehand; only he can know whether it is meant for us.
    case .path where !request.isExplicit: return .leave
    default: return .wire
    }
  }

  /// Decided by what is in the namespace. A network of somebody else's is there already, or a device that the runtime
  /// moved in.
  package static func byLinks(
    _ facts: NamespaceFacts, request: ContainerRequest, container: String
  ) -> Eligibility {
    if let other = facts.recordedFor {
      guard request.isExplicit else { return .leave }
      return .refuse(
        WireError(
          "attaching \(container.quoted)", "its network namespace is that of container \(other.quoted)",
          hint: "annotate the container that owns the namespace"))
    }
    let others = facts.links.filter { !isFallback($0) }
    guard !others.isEmpty else { return .wire }
    guard request.isExplicit else { return .leave }
    let wanted = Set(request.interfaces.map { $0.name.description })
    guard let taken = others.first(where: { wanted.contains($0.name) }) else { return .wire }
    return .refuse(
      WireError(
        "attaching \(container.quoted)", "a link named \(taken.name) is in its network namespace already",
        hint: "give ours another name (wirehook.network=NETWORK:IFNAME), or start the container without a network"))
  }

  /// Loopback, and the devices that kernel modules put into every new namespace (`net.core.fb_tunnels_only_for_init_net`).
  private static func isFallback(_ link: NamespaceFacts.Link) -> Bool {
    link.name == "lo" || (!link.isUp && fallbackNames.contains(link.name))
  }

  private static let fallbackNames: Set<String> = [
    "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0", "teql0",
  ]
}
