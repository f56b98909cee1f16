import Glibc
import Testing
import WireCore
import WireLinux

@testable import WireState

/// A state directory of one test's own.
final class Scratch: Sendable {
  let directory: String

  init() throws {
    var template = Array("/dev/shm/wirehook-state-XXXXXX\0".utf8CString)
    try #require(mkdtemp(&template) != nil)
    directory = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in names { unlink("\(directory)/\(name)") }
    rmdir(directory)
  }

  var file: String { "\(directory)/state.db" }

  func open(boot: String = "boot-1") throws(StateError) -> Store {
    try Store.open(directory: directory, bootID: boot)
  }

  /// What lies in the directory.
  var names: [String] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  func bytes() throws -> [UInt8] {
    let file = try #require(fopen(file, "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 16 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes.prefix(count))
  }

  func write(_ bytes: [UInt8]) throws {
    let file = try #require(fopen(file, "w"))
    defer { fclose(file) }
    #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
  }
}

extension ContainerRecord {
  static func sample(_ id: String, name: String? = nil, created: Int64 = 1_700_000_000) -> ContainerRecord {
    ContainerRecord(
      id: id, name: name, bundle: "/run/bundle/\(id)", runtime: "runc", pid: 4242, pidStart: 99,
      netns: NamespaceIdentity(device: 4, inode: StableHash.of(id)), status: .attaching, created: created,
      document: #"{"interfaces":[]}"#)
  }
}

func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
func link(_ text: String) throws -> InterfaceName { try #require(InterfaceName(text)) }
