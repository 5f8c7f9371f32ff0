#!/usr/bin/env bash
# A real Apache Kafka of its own: one broker that is its own controller, in one folder, on this machine only.
#
#   tests/servers/kafka.sh get               its jars from Maven Central, checked against kafka/jars.sha256
#   tests/servers/kafka.sh start DIR ...     starts it, at first or again, and returns once it serves; host:port is in
#                                            DIR/bootstrap, the process in DIR/pid, what it says in DIR/log
#       --tls            also a listener with TLS and SASL (SCRAM-SHA-512 or PLAIN, user gridward): DIR/bootstrap.tls,
#                        DIR/tls/ca.pem, DIR/tls/password; nothing was signed by DIR/tls/other-ca.pem
#       --address IP     where it listens, 127.0.0.1 otherwise
#       --owner PID      it ends when that process ends
#       --cluster ID     the cluster it is of, where there are several brokers
#       NAME=VALUE       a setting of the broker; one that is set already is so from now on
#     Only --owner counts when it is started again: its folder, ports and settings stay.
#   tests/servers/kafka.sh stop | kill | freeze | thaw DIR       SIGTERM, SIGKILL, SIGSTOP, SIGCONT
#   tests/servers/kafka.sh lose DIR TOPIC PARTITION BYTES        cuts the end of a stopped broker's log, as a disk that
#                                                                had not written it yet
#   tests/servers/kafka.sh tool DIR NAME ARGUMENTS               one of Kafka's tools: TopicCommand, ConsoleProducer,
#                                                                consumer.ConsoleConsumer, GetOffsetShell, ...
source "$(dirname "${BASH_SOURCE[0]}")/both.sh"

version=$(sed -n 's/^ *<version>\(4\..*\)<.*/\1/p' "$here/kafka/pom.xml" | head -n 1)
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
jars=$cache/kafka-$version/jars

java_works() {
    local major
    major=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge 17 ]
}

# What java has loaded for a broker once, read back as an image: half the time to start. It fits one java only.
trained() { echo "$cache/kafka-$version/trained-$(java -version 2>&1 | cksum | cut -d ' ' -f 1).jsa"; }

# The command that runs java on Kafka's jars, as ${java[@]}: its options and the class are still to come.
with_java() {
    local path
    # In this order always: the image is of this very class path.
    path=$(LC_ALL=C; printf '%s:' "$jars"/*.jar)
    java=(java -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData
        -Xshare:auto -Xlog:disable -Xlog:all=error:stderr -Dorg.slf4j.simpleLogger.defaultLogLevel=warn
        -Dorg.slf4j.simpleLogger.showDateTime=true '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS'
        -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info -cp "${path%:}")
}

right_jars() { (cd "$1" 2>/dev/null && sha256sum --check --quiet --strict "$here/kafka/jars.sha256" >&2); }

get() {
    local missing=() folder
    java_works || missing+=(default-jre-headless)
    command -v openssl >/dev/null || missing+=(openssl)
    [ -d "$jars" ] || command -v mvn >/dev/null || missing+=(maven)
    if [ ${#missing[@]} -gt 0 ]; then apt_install "Kafka $version" "${missing[@]}"; fi
    java_works || cannot_have "Kafka $version" 'It needs Java 17 or later, as `java`'

    if [ -d "$jars" ] && ! right_jars "$jars"; then
        say "what is in $jars is not what it should be: getting it again"
        rm -rf "$jars"
        get
        return
    fi
    if [ ! -d "$jars" ]; then
        say "getting Kafka $version (44 MB) from Maven Central"
        folder=$(mktemp -d "$cache/getting.XXXXXX")
        mvn --batch-mode --quiet -Dstyle.color=never --file "$here/kafka/pom.xml" \
            org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
            -DincludeScope=runtime "-DoutputDirectory=$folder" </dev/null >&2 \
            || {
                rm -rf "$folder"
                cannot_have "Kafka $version" \
                    '`mvn` could not get it, neither from Maven Central nor from a mirror in ~/.m2/settings.xml'
            }
        right_jars "$folder" || {
            rm -rf "$folder"
            give_up 'Maven brought other jars than tests/servers/kafka/jars.sha256 says'
        }
        mkdir -p "$cache/kafka-$version"
        chmod 755 "$folder"
        mv "$folder" "$jars"
    fi
    if [ ! -f "$(trained)" ]; then train; fi
}

# Starts and stops a broker once for the image. Without it everything works, only slower.
train() {
    say "starting Kafka $version once, so that it starts quickly from now on"
    local folder image
    image=$(trained)
    folder=$(mktemp -d "$cache/training.XXXXXX")
    start "$folder/broker" "-XX:ArchiveClassesAtExit=$folder/image"
    tool "$folder/broker" TopicCommand --create --topic t >/dev/null
    stop_server "$folder/broker" TERM 60
    if [ -s "$folder/image" ]; then mv -f "$folder/image" "$image"; else say 'java made no image: Kafka starts slowly'; fi
    rm -rf "$folder"
}

configure() { # DIR
    local dir=$1 port controller tls_port='' password scram=()
    local modules=org.apache.kafka.common.security
    port=$(free_port "$address")
    until controller=$(free_port "$address"); [ "$controller" != "$port" ]; do :; done
    mkdir -p "$dir"
    cat >"$dir/server.properties.new" <<END
process.roles=broker,controller
node.id=1
log.dirs=$dir/data
controller.quorum.voters=1@$address:$controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL

# Nothing is there that was not asked for.
auto.create.topics.enable=false
# One broker keeps one copy of everything.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

# A killed broker serves again as soon as its old session has ended.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
# Readers that were killed are noticed soon, if they ask for it.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=200
group.consumer.heartbeat.interval.ms=300
group.consumer.min.session.timeout.ms=1000
group.consumer.session.timeout.ms=3000

# Small.
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=4194304
file.delete.delay.ms=1000
END
    if [ -n "$with_tls" ]; then
        until tls_port=$(free_port "$address"); [ "$tls_port" != "$port" ] && [ "$tls_port" != "$controller" ]; do :; done
        make_certificates "$dir/tls" "$address"
        cat "$dir/tls/server.key" "$dir/tls/server.pem" >"$dir/tls/server.both.pem"
        password=$(secret)
        echo "$password" >"$dir/tls/password"
        scram=(--add-scram "SCRAM-SHA-512=[name=gridward,password=$password]")
        cat >>"$dir/server.properties.new" <<END

listener.name.sasl_ssl.ssl.keystore.type=PEM
listener.name.sasl_ssl.ssl.keystore.location=$dir/tls/server.both.pem
listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=$modules.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=$modules.plain.PlainLoginModule required user_gridward="$password";
END
        echo "$address:$tls_port" >"$dir/bootstrap.tls"
    fi
    {
        printf 'listeners=PLAINTEXT://%s:%s,CONTROLLER://%s:%s' "$address" "$port" "$address" "$controller"
        if [ -n "$tls_port" ]; then printf ',SASL_SSL://%s:%s' "$address" "$tls_port"; fi
        printf '\n'
        if [ ${#settings[@]} -gt 0 ]; then printf '%s\n' "${settings[@]}"; fi
    } >>"$dir/server.properties.new"

    # An id must not begin with a minus; one that came from another folder is refused by the broker.
    rm -rf "$dir/data"
    "${java[@]}" "-XX:SharedArchiveFile=$(trained)" kafka.tools.StorageTool format --cluster-id "${cluster:-$(openssl rand -hex 11)}" \
        "${scram[@]}" --config "$dir/server.properties.new" </dev/null >"$dir/log" 2>&1 \
        || { cat "$dir/log" >&2; give_up 'the storage could not be formatted'; }
    echo "$address:$port" >"$dir/bootstrap"
    # Last: a folder with this file is whole.
    mv "$dir/server.properties.new" "$dir/server.properties"
}

# "started" is said when the controller lets it serve and its listeners are open.
serves() { tail -c "+$(($2 + 1))" "$1/log" | grep -q 'Kafka Server started'; } # DIR, BYTES of log before

start() { # DIR, options of java
    local dir=$1 said
    shift
    if [ -n "$(pid_of "$dir")" ]; then give_up "a broker runs in $dir already"; fi
    with_java
    if [ ! -f "$dir/server.properties" ]; then configure "$dir"; fi
    said=$(wc -c <"$dir/log")
    if [ $# -eq 0 ]; then set -- "-XX:SharedArchiveFile=$(trained)"; fi
    launch "$dir" "${java[@]}" "$@" kafka.Kafka "$dir/server.properties"
    until_serving "$dir" serves "$dir" "$said"
}

# Neither the log nor what is derived from it remembers the end; a broker that stopped in good order would.
lose() { # DIR, TOPIC, PARTITION, BYTES
    local dir=$1 segment size
    if [ -n "$(pid_of "$dir")" ]; then give_up "a broker runs in $dir: kill it first"; fi
    segment=$(find "$dir/data/$2-$3" -name '*.log' -size +0 | sort | tail -n 1)
    if [ -z "$segment" ]; then give_up "$2-$3 is empty"; fi
    size=$(stat --format %s "$segment")
    truncate --size "$((size > $4 ? size - $4 : 0))" "$segment"
    rm -f "$dir/data/.kafka_cleanshutdown" "$dir/data/$2-$3"/*.snapshot
}

tool() { # DIR, NAME, ARGUMENT...
    local dir=$1 name=$2
    shift 2
    with_java
    "${java[@]}" "-XX:SharedArchiveFile=$(trained)" "org.apache.kafka.tools.$name" \
        --bootstrap-server "$(cat "$dir/bootstrap")" "$@"
}

command=${1:-}
if [ "$command" = get ]; then
    alone get
    exit
fi
dir=$(realpath --canonicalize-missing "${2:?the folder of the broker}")
case $command in
start)
    options "${@:3}"
    alone get
    start "$dir"
    ;;
stop) stop_server "$dir" TERM 20 ;;
kill) kill_server "$dir" ;;
freeze) signal_server "$dir" STOP ;;
thaw) signal_server "$dir" CONT ;;
lose) lose "$dir" "${@:3}" ;;
tool) tool "$dir" "${@:3}" ;;
*) give_up 'say which: get, start, stop, kill, freeze, thaw, lose or tool' ;;
esac
