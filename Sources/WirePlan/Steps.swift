import WireCore

extension Step {
  /// Everything that `attachment` needs, in the order of application.
  ///
  /// The pairs come first, for the rest stands on them. Ports are published before the container's side is brought up:
  /// the hook then stays in the container's namespace and need not come back.
  package static func all(of attachment: Attachment) -> [Step] {
    guard !attachment.isWiredByOthers else { return firewall(attachment) }
    var steps: [Step] = []
    for interface in attachment.interfaces { steps += interface.join(attachment.container) }
    steps += firewall(attachment)
    steps += engineSettings(attachment)
    for interface in attachment.interfaces { steps += settings(interface) }
    steps.append(.linkUp(LinkNames.loopback))
    for interface in attachment.interfaces { steps += containerSide(interface) }
    for interface in attachment.interfaces { steps += routes(interface) }
    for edit in attachment.files { steps.append(.edit(edit)) }
    return steps
  }

  private static func firewall(_ attachment: Attachment) -> [Step] {
    var steps = attachment.interfaces.filter { $0.antispoof && $0.switchPort == nil }.map {
      Step.checkSender(SenderCheck($0))
    }
    for interface in attachment.interfaces {
      for host in interface.sourceAddresses {
        for container in interface.addresses where container.family == host.family {
          steps.append(.sourceNAT(container: container.address, host: host))
        }
      }
    }
    for port in attachment.ports { steps.append(.publish(port)) }
    for interface in attachment.interfaces {
      for family in interface.noWayBack {
        guard let address = interface.address(family),
          attachment.ports.contains(where: { $0.targets.contains(address) })
        else { continue }
        steps.append(.noWayBack(address))
      }
    }
    for port in attachment.ports where port.mapping.transport == .udp { steps.append(.forgetFlows(port.mapping)) }
    return steps
  }

  /// Docker's own hook has switched IPv6 off for the whole namespace, `lo` included, as for each of its containers on a
  /// network without IPv6.
  private static func engineSettings(_ attachment: Attachment) -> [Step] {
    guard attachment.container.engine?.kind == .docker,
      attachment.interfaces.contains(where: { $0.speaksIPv6 && !$0.isAmongOthers })
    else {
      return []
    }
    return [.setting(["net", "ipv6", "conf", "all", "disable_ipv6"], value: "0", required: false)]
  }

  /// What must stand before the link is up: once it is, an advertisement may already have been believed.
  private static func settings(_ interface: AttachedInterface) -> [Step] {
    let ipv6 = ["net", "ipv6", "conf", interface.name.description]
    var settings: [([String], String)] = []
    if interface.speaksIPv6 {
      // An engine may have switched it off for every link to come.
      if interface.isAmongOthers { settings.append((ipv6 + ["disable_ipv6"], "0")) }
      if !interface.slaac { settings += [(ipv6 + ["accept_ra"], "0"), (ipv6 + ["autoconf"], "0")] }
      // The link-local address too is usable at once: its MAC is ours to give, so nobody else has it.
      settings.append((ipv6 + ["accept_dad"], "0"))
      if interface.announced { settings.append((ipv6 + ["ndisc_notify"], "1")) }
    } else {
      settings.append((ipv6 + ["disable_ipv6"], "1"))
    }
    // With these two the kernel tells the neighbours whose address is where when it is asked to.
    if interface.announced {
      settings.append((["net", "ipv4", "conf", interface.name.description, "arp_notify"], "1"))
    }
    var steps: [Step] = settings.map { .setting($0.0, value: $0.1, required: false) }
    for sysctl in interface.sysctls {
      let path = LinkNames.sysctlPath(sysctl.key, interface: interface.name)
      steps.append(.setting(path, value: sysctl.value, required: true))
    }
    return steps
  }

  private static func containerSide(_ interface: AttachedInterface) -> [Step] {
    interface.insideByDriver + interface.addresses.map { .address($0, interface.name) } + [.linkUp(interface.name)]
  }

  private static func routes(_ interface: AttachedInterface) -> [Step] {
    var steps: [Step] = []
    func add(_ destination: Prefix?, _ family: Family, via: IPAddress?, metric: UInt32? = nil, table: UInt32? = nil) {
      let onlink = via.map { gateway in !interface.addresses.contains { $0.contains(gateway) } } ?? false
      steps.append(
        .route(
          RouteStep(
            destination: destination, family: family, via: via, link: interface.name, metric: metric, table: table,
            onlink: onlink && via?.isLinkLocal == false)))
    }
    for gateway in interface.gateways where interface.defaultRoutes.contains(gateway.family) {
      add(nil, gateway.family, via: gateway)
    }
    for route in interface.routes {
      add(route.destination, route.destination.family, via: route.via, metric: route.metric)
    }
    guard let table = interface.sourceTable else { return steps }
    // Answers leave by the interface that the question came in on (RFC 1122 3.3.4.2, strong model), whatever the main
    // table thinks of the client's address; with rp_filter=1 the question is not even accepted otherwise.
    for gateway in interface.gateways {
      for prefix in interface.addresses where prefix.family == gateway.family {
        add(prefix.network, prefix.family, via: nil, table: table)
      }
      for route in interface.routes where route.destination.family == gateway.family {
        add(route.destination, gateway.family, via: route.via, metric: route.metric, table: table)
      }
      add(nil, gateway.family, via: gateway, table: table)
      for prefix in interface.addresses where prefix.family == gateway.family {
        steps.append(.rule(from: prefix.address, table: table))
      }
    }
    return steps
  }
}

extension AttachedInterface {
  /// One that has no address at all is for the container to configure.
  var speaksIPv6: Bool { addresses.isEmpty || slaac || address(.ipv6) != nil }
}
