import Foundation
import Support
import Testing

/// What the hook makes of a bundle of Docker's, without any Docker.
@Suite(needsRoot) struct DockerBundleTests {
  private func docker(
    _ host: Sandbox, _ digit: String = "a", _ change: (inout DockerBundle.Options) -> Void = { _ in }
  ) throws -> DockerBundle {
    var options = DockerBundle.Options()
    change(&options)
    return try DockerBundle(host, digit, options)
  }

  @Test func labelsOfTheUserMeanWhatAnnotationsMean() throws {
    try Sandbox.with { host in
      let web = try docker(host) { $0.labels = ["wirehook.ports": "8080:80", "org.example": "x"] }
      try web.start()
      try web.container.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == web.container.id)
      #expect(try host.list()[0]["name"].string == "web")
    }
  }

  @Test func annotationsWinKeyByKey() throws {
    try Sandbox.with { host in
      let web = try docker(host) {
        $0.labels = ["wirehook.ip": "10.210.4.8", "wirehook.mtu": "1400"]
        $0.annotations = ["wirehook.ip": "10.210.4.9"]
      }
      try web.start()
      #expect(try web.container.addresses("eth0").contains("10.210.4.9/24"))
      #expect(try web.container.json("link show eth0")[0]["mtu"].int == 1400)
    }
  }

  @Test func labelsOfTheImageCountForNothing() throws {
    try Sandbox.with { host in
      let web = try docker(host) {
        $0.imageLabels = ["wirehook.ports": "8080:80", "wirehook.mtu": "1400"]
        $0.labels = ["wirehook.mtu": "1300"]
      }
      try web.start()
      #expect(try host.list()[0]["ports"].array.isEmpty)
      #expect(try web.container.json("link show eth0")[0]["mtu"].int == 1300, "a repeated key with another value")
    }
  }

  @Test func labelsOfTheImageCountWhereThePolicyAllowsThem() throws {
    try Sandbox.with { host in
      try host.writeMain(["policy": .object(["image_labels": .bool(true)])])
      let web = try docker(host) { $0.imageLabels = ["wirehook.ports": "8080:80"] }
      try web.start()
      #expect(try host.list()[0]["ports"].array.count == 1)
    }
  }

  /// With containerd's image store the digest is that of an index, and its documents are blobs.
  @Test func anImageInContainerdsStoreIsFoundByItsIndex() throws {
    try Sandbox.with { host in
      let web = try docker(host) {
        $0.imageLabels = ["wirehook.ports": "8080:80"]
        $0.labels = ["wirehook.mtu": "1300"]
      }
      try web.moveImageIntoContainerdsStore()
      try web.start()
      #expect(try host.list()[0]["ports"].array.isEmpty)
      #expect(try web.container.json("link show eth0")[0]["mtu"].int == 1300)
    }
  }

  @Test func withoutAutoOnlyALabelOfTheUsersAsks() throws {
    try Sandbox.with { host in
      try host.writeMain(["auto": .bool(false)])
      let image = try docker(host, "a") { $0.imageLabels = ["wirehook.ports": "8080:80"] }
      try image.start()
      #expect(try image.container.links() == ["lo"])
      let web = try docker(host, "b") { $0.labels = ["wirehook.network": "front"] }
      try web.start()
      #expect(try web.container.links() == ["eth0", "lo"])
    }
  }

  @Test func labelsThatCannotBeToldFromTheImagesStopTheStart() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try docker(host) { $0.labels = ["wirehook.ports": "8080:80"] }
      try FileManager.default.removeItem(atPath: "\(web.data)/image")
      let before = try host.snapshot()
      expectOneErrorLine(try web.attach(), naming: ["image", "policy.image_labels"])
      try expectUnchanged(host, since: before)
    }
  }

  /// From Engine 26 on the namespace of each of these is empty when the hook runs.
  @Test(arguments: ["bridge", "default", "mine", "", "host", "container:\(String(repeating: "b", count: 64))"])
  func whatIsOnANetworkOfDockersIsLeftAlone(mode: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try docker(host) {
        $0.networkMode = mode
        $0.labels = ["wirehook.ports": "8080:80", "wirehook.typo": "x"]
        $0.annotations = ["wirehook.mtu": "1400"]
      }
      let before = try host.snapshot()
      let result = try web.attach()
      #expect(result.exitCode == 0 && result.stderr == "", "\(result)")
      try expectUnchanged(host, since: before)
      #expect(try web.container.links() == ["lo"])
      #expect(try web.text("hosts") == "127.0.0.1\tlocalhost\n")
    }
  }

  @Test func whereDockersFilesAreUnreadableOnlyWhoAsksIsRefused() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let plain = try docker(host, "a")
      try "{".write(toFile: "\(plain.directory)/hostconfig.json", atomically: true, encoding: .utf8)
      #expect(try plain.attach().exitCode == 0)
      #expect(try plain.container.links() == ["lo"])
      let asks = try docker(host, "b") { $0.annotations = ["wirehook.mtu": "1400"] }
      try "{".write(toFile: "\(asks.directory)/hostconfig.json", atomically: true, encoding: .utf8)
      expectOneErrorLine(try asks.attach(), naming: ["hostconfig.json"])
      try expectUnchanged(host, since: before)
    }
  }

  /// A folder that others write to is nobody's data root; such a container is as any other.
  @Test func filesThatOthersMayChangeAreNotDockers() throws {
    try Sandbox.with { host in
      let web = try docker(host) { $0.labels = ["wirehook.ports": "8080:80"] }
      try Command.require(["chmod", "666", "\(web.directory)/hostconfig.json"])
      try web.start()
      #expect(try host.list()[0]["ports"].array.isEmpty)
      #expect(try host.list()[0]["name"].string == web.container.id)
    }
  }

  @Test func aRenameIsFollowedAndKeepsTheAddress() throws {
    try Sandbox.with { host in
      let web = try docker(host)
      try web.start()
      let address = try web.container.addresses("eth0")
      try web.write(name: "shop")
      #expect(try host.list()[0]["name"].string == "shop")
      #expect(try host.wirehook("inspect", "web").exitCode == 1)
      #expect(try host.wirehook("inspect", "shop").stdout.contains(web.container.id))
      try host.stop(web.container)
      _ = try host.started("other")
      let again = try docker(host, "b") { $0.name = "shop" }
      try again.start()
      #expect(try again.container.addresses("eth0") == address)
    }
  }

  @Test func aNewContainerOfTheSameNameGetsTheAddressAgain() throws {
    try Sandbox.with { host in
      let web = try docker(host, "a")
      try web.start()
      let address = try web.container.addresses("eth0")
      try host.stop(web.container)
      let again = try docker(host, "b")
      try again.start()
      #expect(try again.container.addresses("eth0") == address)
    }
  }
}

/// /etc/hosts and /etc/resolv.conf.
@Suite(needsRoot) struct ResolverFileTests {
  private func docker(_ host: Sandbox, _ change: (inout DockerBundle.Options) -> Void = { _ in }) throws -> DockerBundle
  {
    var options = DockerBundle.Options()
    change(&options)
    return try DockerBundle(host, "a", options)
  }

  @Test func theContainersOwnAddressAndNameStandInDockersHostsFile() throws {
    try Sandbox.with { host in
      let web = try docker(host) {
        $0.domainname = "example.com"
        $0.labels = ["wirehook.ip": "10.210.4.9,fd42:210:4::9"]
      }
      let inode = Sandbox.inode("\(web.directory)/hosts")
      for _ in 0..<2 {
        try web.start()
        #expect(
          try web.text("hosts") == """
            127.0.0.1\tlocalhost
            10.210.4.9\tbox.example.com box web\t# wirehook
            fd42:210:4::9\tbox.example.com box web\t# wirehook
            10.210.4.1\thost.docker.internal host.containers.internal\t# wirehook

            """)
        try host.detach(web.container.id)
        _ = try? web.container.ip("link del eth0")
      }
      #expect(Sandbox.inode("\(web.directory)/hosts") == inode, "a bind mount must keep seeing it")
      #expect(try web.text("resolv.conf") == "nameserver 10.0.0.53\n")
    }
  }

  @Test func whatLabelsAskForIsWritten() throws {
    try Sandbox.with { host in
      let web = try docker(host) {
        $0.labels = [
          "wirehook.dns": "10.0.0.7,127.0.0.1", "wirehook.dns-search": "corp.example",
          "wirehook.hosts": "db:10.0.0.8,up:host-gateway", "wirehook.alias": "www",
        ]
        $0.resolver = "search old\nnameserver 127.0.0.53\noptions edns0\n"
      }
      try web.start()
      #expect(
        try web.text("resolv.conf")
          == "options edns0\nsearch corp.example\nnameserver 10.0.0.7\nnameserver 127.0.0.1\n")
      let hosts = try web.text("hosts")
      #expect(
        hosts.contains("\tbox web www\t") && hosts.contains("10.0.0.8\tdb\t") && hosts.contains("10.210.4.1\tup\t"))
    }
  }

  @Test func aFileThatTheUserMountedIsNeverTouched() throws {
    try Sandbox.with { host in
      for name in ["hosts", "resolv.conf"] {
        try "nameserver 127.0.0.1\n".write(toFile: "\(host.folder)/\(name)", atomically: true, encoding: .utf8)
      }
      let web = try docker(host) {
        $0.mounts = ["hosts": "\(host.folder)/hosts", "resolv.conf": "\(host.folder)/resolv.conf"]
        $0.labels = ["wirehook.dns": "10.0.0.7", "wirehook.hosts": "db:10.0.0.8"]
      }
      let before = try web.text("hosts") + web.text("resolv.conf")
      try web.start()
      for name in ["hosts", "resolv.conf"] {
        #expect(try String(contentsOfFile: "\(host.folder)/\(name)", encoding: .utf8) == "nameserver 127.0.0.1\n")
      }
      #expect(try web.text("hosts") + web.text("resolv.conf") == before)
    }
  }

  @Test func aLinkInPlaceOfTheEnginesFileIsNotFollowed() throws {
    try Sandbox.with { host in
      try "mine\n".write(toFile: "\(host.folder)/victim", atomically: true, encoding: .utf8)
      let web = try docker(host)
      try Command.require(["ln", "-sf", "\(host.folder)/victim", "\(web.directory)/hosts"])
      try web.start()
      #expect(try String(contentsOfFile: "\(host.folder)/victim", encoding: .utf8) == "mine\n")
    }
  }

  /// systemd-resolved's stub answers on the host's loopback only; behind it are the real servers.
  @Test func aStubOnTheHostsLoopbackGivesWayToTheRealServers() throws {
    try Sandbox.with { host in
      try "nameserver 127.0.0.53\n".write(toFile: "\(host.folder)/stub", atomically: true, encoding: .utf8)
      try "nameserver 192.168.77.2\n".write(toFile: "\(host.folder)/real", atomically: true, encoding: .utf8)
      let web = try docker(host) { $0.resolver = "nameserver 127.0.0.53\noptions edns0 trust-ad\n" }
      let apart = [
        "unshare", "-m", "sh", "-c",
        "mount -t tmpfs none /run/systemd 2>/dev/null || { mount -t tmpfs none /run && mkdir -p /run/systemd; }; "
          + "mkdir -p /run/systemd/resolve && cp \(host.folder)/real /run/systemd/resolve/resolv.conf && "
          + "mount --bind \(host.folder)/stub /etc/resolv.conf && exec \"$@\"", "sh",
      ]
      let result = try web.attach(under: apart)
      #expect(result.exitCode == 0, "\(result)")
      #expect(try web.text("resolv.conf") == "options edns0 trust-ad\nnameserver 192.168.77.2\n")
    }
  }

  @Test func withoutRealServersTheNetworksAreTaken() throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "front",
        #"{"bridge": "wh-front", "subnets": [{"subnet": "10.210.4.0/24"}], "dns_servers": ["9.9.9.9", "fd00::9"]}"#)
      try "nameserver 127.0.0.53\n".write(toFile: "\(host.folder)/stub", atomically: true, encoding: .utf8)
      let web = try docker(host) { $0.resolver = "nameserver 127.0.0.53\n" }
      let apart = [
        "unshare", "-m", "sh", "-c",
        "mount -t tmpfs none /run/systemd 2>/dev/null; mount --bind \(host.folder)/stub /etc/resolv.conf && exec \"$@\"",
        "sh",
      ]
      #expect(try web.attach(under: apart).exitCode == 0)
      #expect(try web.text("resolv.conf") == "nameserver 9.9.9.9\nnameserver fd00::9\n")
    }
  }

  @Test func resolversThatTheUserChoseStay() throws {
    try Sandbox.with { host in
      let web = try docker(host) {
        $0.resolver = "nameserver 127.0.0.1\n"
        $0.dns = ["127.0.0.1"]
      }
      try web.start()
      #expect(try web.text("resolv.conf") == "nameserver 127.0.0.1\n")
    }
  }

  // MARK: A bundle without an engine

  /// The container's root is where the bundle says: beside it, elsewhere, or above.
  @Test(arguments: ["rootfs", "absolute", "../outside"]) func inAPlainBundleOnlyWhatWasAskedForIsWritten(root: String)
    throws
  {
    try Sandbox.with { host in
      let web = try host.container("web")
      let path = root == "absolute" ? "\(host.folder)/elsewhere" : root
      let folder = root == "absolute" ? path : "\(web.bundle)/\(root)"
      try Command.require(["mkdir", "-p", "\(folder)/etc"])
      try Command.require(["ln", "-s", "../run/resolv.conf", "\(folder)/etc/resolv.conf"])
      try Command.require(["mkdir", "\(folder)/run"])
      let config: [String: Any] = [
        "root": ["path": path], "hostname": "box", "linux": ["namespaces": [["type": "network"]]],
      ]
      try jsonText(config).write(toFile: "\(web.bundle)/config.json", atomically: true, encoding: .utf8)
      try host.attach(web)
      #expect(try Command.require(["ls", "\(folder)/etc", "\(folder)/run"]).contains("hosts") == false)
      try host.detach("web")
      _ = try? web.ip("link del eth0")
      try host.attach(web, ["wirehook.dns": "10.0.0.53", "wirehook.alias": "www", "wirehook.ip": "10.210.4.9"])
      #expect(
        try String(contentsOfFile: "\(folder)/run/resolv.conf", encoding: .utf8)
          == "# Written by wirehook.\nnameserver 10.0.0.53\n")
      #expect(
        try String(contentsOfFile: "\(folder)/etc/hosts", encoding: .utf8).contains("10.210.4.9\tbox www\t# wirehook\n")
      )
    }
  }

  @Test func aLinkOfTheImagesLeadsNowhereOutOfItsRoot() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      try Command.require([
        "ln", "-s", "../../../../../../../../..\(host.folder)/victim", "\(web.bundle)/rootfs/etc/hosts",
      ])
      try "mine\n".write(toFile: "\(host.folder)/victim", atomically: true, encoding: .utf8)
      let result = try host.tryAttach(web, ["wirehook.hosts": "db:10.0.0.8"])
      expectOneErrorLine(result, naming: ["/etc/hosts"])
      #expect(try String(contentsOfFile: "\(host.folder)/victim", encoding: .utf8) == "mine\n")
      #expect(try web.links() == ["lo"])
    }
  }
}
