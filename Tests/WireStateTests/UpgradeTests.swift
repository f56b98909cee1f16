import Foundation
import Support
import Testing
import WireCore

@testable import WireState

/// A file that an earlier release wrote (Tests/corpus/databases) is read by this one.
@Suite struct UpgradeTests {
  /// The boot that the fixture was written in.
  static let boot = "00000000-0000-4000-8000-000000000001"
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    let fixture = URL(filePath: "\(Built.root)/Tests/corpus/databases/version-1.db")
    try scratch.write(Array(Data(contentsOf: fixture)))
  }

  @Test func containersPortsAndNetworksOfVersionOneAreRead() throws {
    let store = try scratch.open(boot: Self.boot)
    let containers = try store.containers()
    #expect(Set(containers.map(\.id)) == ["web", "db"])
    #expect(containers.allSatisfy { $0.status == .attached })
    #expect(try Set(store.markers().map(\.name)) == ["front", "storage", "ovsnet"])
    #expect(try store.ports(of: "web").count == 2)
  }

  /// What the file forbids holds for what stands in it.
  @Test func addressesAndPortsOfVersionOneAreNotGivenAgain() throws {
    let store = try scratch.open(boot: Self.boot)
    try store.record(.sample("c3"))
    #expect(throws: StateError.self) { try store.claimPort(HostPort(.tcp, .any(.ipv4), 8080), container: "c3") }
  }

  @Test func anotherBootKeepsWhoHadWhichAddressAndNothingElse() throws {
    let store = try scratch.open(boot: "another")
    #expect(try store.containers().isEmpty)
    #expect(try store.markers().isEmpty)
    #expect(try RawConnection(scratch.file).refusal(of: "SELECT 1") == nil)
  }

  /// When this fails, the schema has changed: raise the version, write its migration, and keep this fixture.
  @Test func thereIsNothingToMigrateYet() {
    #expect(Schema.version == 1)
    #expect(Schema.migrations.isEmpty)
  }
}
