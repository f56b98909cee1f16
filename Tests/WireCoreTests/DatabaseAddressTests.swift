import Testing
import WireCore

@Test(
  "Where a database listens",
  arguments: [
    ("unix:/var/run/openvswitch/db.sock", "unix:/var/run/openvswitch/db.sock"), ("tcp:10.0.0.1", "tcp:10.0.0.1:6640"),
    ("tcp:10.0.0.1:6642", "tcp:10.0.0.1:6642"), ("tcp:[fd00::1]:6641", "tcp:[fd00::1]:6641"),
    ("tcp:[fd00::1]", "tcp:[fd00::1]:6640"),
  ])
func whereADatabaseListens(_ text: String, _ expected: String) {
  #expect(DatabaseAddress(text)?.description == expected)
}

@Test(
  "What is no database's address",
  arguments: [
    "", "unix:", "unix:db.sock", "unix:/a\u{0}b", "tcp:", "tcp:localhost:6640", "tcp:10.0.0.1:0", "tcp:10.0.0.1:70000",
    "tcp:[fd00::1", "tcp:fd00::1:6640x", "ssl:10.0.0.1:6640", "/var/run/db.sock",
    "unix:/" + String(repeating: "x", count: 107),
  ])
func whatIsNoDatabasesAddress(_ text: String) { #expect(DatabaseAddress(text) == nil) }
