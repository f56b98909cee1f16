package import WireCore

extension ContainerRequest {
  /// Reads a container's annotations; those that do not begin with `wirehook.` are ignored. Any other key or value that
  /// is not understood is an error that names it: a typo never yields a half-wired container.
  package static func parse(annotations: [(key: String, value: String)]) throws(WireError) -> ContainerRequest {
    let ours = try given(annotations)
    guard let network = ours.first(where: { $0.key == .network }) else {
      return try ContainerRequest(isExplicit: !ours.isEmpty, optsOut: false, interfaces: [defaultInterface()]).taking(
        ours)
    }
    if network.text.value.trimmingBlanks == "none" {
      return ContainerRequest(isExplicit: true, optsOut: true, interfaces: [])
    }
    let interfaces = try NetworkList.parse(network.text)
    return try ContainerRequest(isExplicit: true, optsOut: false, interfaces: interfaces).taking(ours)
  }

  private static func defaultInterface() throws(WireError) -> InterfaceRequest {
    InterfaceRequest(network: nil, name: try NetworkList.automaticName(0))
  }

  private struct Given {
    let key: AnnotationKey
    let suffix: String?
    let text: AnnotationText
  }

  /// Our annotations with known keys, each once.
  private static func given(_ annotations: [(key: String, value: String)]) throws(WireError) -> [Given] {
    var result: [Given] = []
    for (key, value) in annotations where AnnotationKey.isOurs(key) {
      let text = AnnotationText(key: key, value: value)
      guard value.utf8.count <= 65_536, result.count < 256 else {
        throw text.refused("expected at most 256 annotations of at most 65536 bytes each")
      }
      let (known, suffix) = try AnnotationKey.parse(text)
      if let earlier = result.first(where: { $0.text.key == key }) {
        guard earlier.text.value == value else {
          throw text.refused("the key is given twice, the other time as \(earlier.text.value.quoted)")
        }
        continue
      }
      result.append(Given(key: known, suffix: suffix, text: text))
    }
    return result
  }

  /// The request with each annotation put on the interface that it is for.
  private func taking(_ annotations: [Given]) throws(WireError) -> ContainerRequest {
    var result = self
    var taken: [(index: Int, given: Given)] = []
    for given in annotations where given.key != .network {
      guard !given.key.isForContainer else {
        try result.names.set(given.key, given.text)
        continue
      }
      if given.key == .allow, let suffix = given.suffix, suffix.isDigits {
        continue
      }
      let index = try result.index(of: given)
      if let earlier = taken.first(where: { $0.index == index && $0.given.key == given.key }) {
        throw given.text.refused("\(earlier.given.text.key) is for the same interface")
      }
      taken.append((index, given))
      try result.interfaces[index].set(given.key, given.text)
    }
    try result.refuseDoublePorts()
    for given in annotations where given.key == .allow {
      guard let suffix = given.suffix, suffix.isDigits else { continue }
      try result.allow(byPort: suffix, given.text)
    }
    try result.checkDevices(of: annotations.first { $0.key == .routes }?.text)
    return result
  }

  private func index(of given: Given) throws(WireError) -> Int {
    guard let suffix = given.suffix else { return 0 }
    guard let index = interfaces.firstIndex(where: { $0.name.description == suffix }) else {
      throw WireError(
        "annotation \(given.text.key.quoted)",
        "expected one of the container's interfaces after wirehook.\(given.key.rawValue): "
          + interfaces.map(\.name.description).joined(separator: ", "))
    }
    return index
  }

  private func refuseDoublePorts() throws(WireError) {
    let ports = interfaces.flatMap(\.ports)
    for (index, port) in ports.enumerated() where port.hostPorts != nil {
      for earlier in ports[..<index] where earlier.collides(with: port) {
        throw WireError(
          "annotation wirehook.ports \(port.text.quoted)", "a host port of it is taken by \(earlier.text.quoted)",
          hint: "publish each host port once")
      }
    }
  }

  /// `wirehook.allow.8080`: on each interface that publishes that host port.
  private mutating func allow(byPort suffix: String, _ text: AnnotationText) throws(WireError) {
    let sources = try text.list(AllowList.expectation, AllowList.source)
    var isPublished = false
    if let port = PortRequest.range(suffix[...])?.lowerBound {
      for index in interfaces.indices
      where interfaces[index].ports.contains(where: { $0.hostPorts?.contains(port) == true }) {
        interfaces[index].allowByPort[port] = sources
        isPublished = true
      }
    }
    guard isPublished else {
      throw WireError(
        "annotation \(text.key.quoted)", "wirehook.ports publishes no host port \(suffix.escapingControls(limit: 20))")
    }
  }

  private func checkDevices(of text: AnnotationText?) throws(WireError) {
    for route in interfaces.flatMap(\.routes) {
      guard let device = route.device, !interfaces.contains(where: { $0.name == device }) else { continue }
      let names = interfaces.map(\.name.description).joined(separator: ", ")
      throw WireError(
        "annotation \(text?.key ?? "wirehook.routes") \"dev \(device)\"",
        "expected one of the container's interfaces: \(names)")
    }
  }
}

/// Sources that may call.
enum AllowList {
  static let expectation = "addresses or prefixes, such as 192.168.0.0/16"

  /// An address or a prefix, without its host bits.
  static func source(_ text: String) -> Prefix? {
    Prefix(text)?.network ?? IPAddress(text).map(Prefix.init(host:))
  }
}
