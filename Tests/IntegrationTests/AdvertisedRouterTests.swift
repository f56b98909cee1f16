import Foundation
import Support
import Testing

/// A host that has its IPv6 default route by router advertisements, and begins to forward with its first container (B40).
@Suite(needsRoot) struct AdvertisedRouterTests {
  @Test func theDefaultRouteOutlivesItsAdvertisedLifetime() throws {
    try Sandbox.with(.init(forwarding: false)) { host in
      let quiet = try host.neighbour("quiet", link: "quiet0")
      try host.setSysctl("net/ipv6/conf/up0/accept_ra", "1")
      try host.setSysctl("net/ipv6/conf/quiet0/accept_ra", "0")
      try host.ip("-6 route flush default")
      #expect(try routers(host) == [])
      let router = Router(on: [host.outside, quiet], lifetime: 10)
      defer { router.stop() }
      #expect(try eventually(within: .seconds(30)) { try routers(host) == ["up0 ra"] })

      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      #expect(try host.sysctl("net/ipv6/conf/all/forwarding") == "1")
      let attached = ContinuousClock.now
      while attached.duration(to: .now) < .seconds(16) {
        let now = try routers(host)
        #expect(now == ["up0 ra"], "\(attached.duration(to: .now)) after the attach")
        guard now == ["up0 ra"] else { return }
        usleep(250_000)
      }
      #expect(try host.sysctl("net/ipv6/conf/up0/accept_ra") == "2")
      #expect(try host.sysctl("net/ipv6/conf/quiet0/accept_ra") == "0")
      // It is the advertisements that keep it.
      router.stop()
      #expect(try eventually(within: .seconds(60)) { try routers(host) == [] })
      try host.stop(web)
    }
  }

  /// The links of the default routes, and who made each.
  private func routers(_ host: Sandbox) throws -> [String] {
    try host.json("-6 route show default").array.map {
      "\($0["dev"].string ?? "") \($0["protocol"].string ?? "")"
    }.sorted()
  }
}

/// Sends a router advertisement by the `eth0` of each machine, again and again.
private final class Router: @unchecked Sendable {
  private let lock = NSLock()
  private var isStopped = false

  init(on machines: [Neighbour], lifetime: UInt16) {
    Thread { [self] in
      while !lock.withLock({ isStopped }) {
        for machine in machines { try? Self.advertise(machine, lifetime) }
        usleep(500_000)
      }
    }.start()
  }

  func stop() { lock.withLock { isStopped = true } }

  private static func advertise(_ machine: Neighbour, _ lifetime: UInt16) throws {
    let ends = Frame.Ends("fe80::1", to: "ff02::1", ether: (from: try machine.mac(of: "eth0"), to: "33:33:00:00:00:01"))
    try machine.send(Frame.routerAdvertisement(ends, lifetime: lifetime), by: "eth0")
  }
}
