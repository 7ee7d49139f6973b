// Generated from proto/ by `npm run generate:wire`. Do not edit.
import * as $protobuf from "protobufjs";
/** Namespace istio. */
export namespace istio {

    /** Namespace security. */
    namespace security {

        /** Properties of an Authorization. */
        interface IAuthorization {

            /** Authorization name */
            name?: (string|null);

            /** Authorization namespace */
            namespace?: (string|null);

            /** Authorization scope */
            scope?: (istio.security.Scope|null);

            /** Authorization action */
            action?: (istio.security.Action|null);

            /** Authorization rules */
            rules?: (istio.security.IRule[]|null);

            /** Authorization dryRun */
            dryRun?: (boolean|null);

            /** Authorization extensions */
            extensions?: (istio.workload.IExtension[]|null);
        }

        /** Represents an Authorization. */
        class Authorization implements IAuthorization {

            /**
             * Constructs a new Authorization.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.security.IAuthorization);

            /** Authorization name. */
            public name: string;

            /** Authorization namespace. */
            public namespace: string;

            /** Authorization scope. */
            public scope: istio.security.Scope;

            /** Authorization action. */
            public action: istio.security.Action;

            /** Authorization rules. */
            public rules: istio.security.IRule[];

            /** Authorization dryRun. */
            public dryRun: boolean;

            /** Authorization extensions. */
            public extensions: istio.workload.IExtension[];

            /**
             * Encodes the specified Authorization message. Does not implicitly {@link istio.security.Authorization.verify|verify} messages.
             * @param message Authorization message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.security.IAuthorization, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Authorization message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Authorization
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.security.Authorization;
        }

        /** Scope enum. */
        enum Scope {
            GLOBAL = 0,
            NAMESPACE = 1,
            WORKLOAD_SELECTOR = 2
        }

        /** Action enum. */
        enum Action {
            ALLOW = 0,
            DENY = 1
        }

        /** Properties of a Rule. */
        interface IRule {

            /** Rule clauses */
            clauses?: (istio.security.IClause[]|null);
        }

        /** Represents a Rule. */
        class Rule implements IRule {

            /**
             * Constructs a new Rule.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.security.IRule);

            /** Rule clauses. */
            public clauses: istio.security.IClause[];

            /**
             * Encodes the specified Rule message. Does not implicitly {@link istio.security.Rule.verify|verify} messages.
             * @param message Rule message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.security.IRule, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Rule message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Rule
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.security.Rule;
        }

        /** Properties of a Clause. */
        interface IClause {

            /** Clause matches */
            matches?: (istio.security.IMatch[]|null);
        }

        /** Represents a Clause. */
        class Clause implements IClause {

            /**
             * Constructs a new Clause.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.security.IClause);

            /** Clause matches. */
            public matches: istio.security.IMatch[];

            /**
             * Encodes the specified Clause message. Does not implicitly {@link istio.security.Clause.verify|verify} messages.
             * @param message Clause message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.security.IClause, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Clause message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Clause
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.security.Clause;
        }

        /** Properties of a Match. */
        interface IMatch {

            /** Match namespaces */
            namespaces?: (istio.security.IStringMatch[]|null);

            /** Match notNamespaces */
            notNamespaces?: (istio.security.IStringMatch[]|null);

            /** Match principals */
            principals?: (istio.security.IStringMatch[]|null);

            /** Match notPrincipals */
            notPrincipals?: (istio.security.IStringMatch[]|null);

            /** Match sourceIps */
            sourceIps?: (istio.security.IAddress[]|null);

            /** Match notSourceIps */
            notSourceIps?: (istio.security.IAddress[]|null);

            /** Match destinationIps */
            destinationIps?: (istio.security.IAddress[]|null);

            /** Match notDestinationIps */
            notDestinationIps?: (istio.security.IAddress[]|null);

            /** Match destinationPorts */
            destinationPorts?: (number[]|null);

            /** Match notDestinationPorts */
            notDestinationPorts?: (number[]|null);

            /** Match serviceAccounts */
            serviceAccounts?: (istio.security.IServiceAccountMatch[]|null);

            /** Match notServiceAccounts */
            notServiceAccounts?: (istio.security.IServiceAccountMatch[]|null);

            /** Match extensions */
            extensions?: (istio.workload.IExtension[]|null);
        }

        /** Represents a Match. */
        class Match implements IMatch {

            /**
             * Constructs a new Match.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.security.IMatch);

            /** Match namespaces. */
            public namespaces: istio.security.IStringMatch[];

            /** Match notNamespaces. */
            public notNamespaces: istio.security.IStringMatch[];

            /** Match principals. */
            public principals: istio.security.IStringMatch[];

            /** Match notPrincipals. */
            public notPrincipals: istio.security.IStringMatch[];

            /** Match sourceIps. */
            public sourceIps: istio.security.IAddress[];

            /** Match notSourceIps. */
            public notSourceIps: istio.security.IAddress[];

            /** Match destinationIps. */
            public destinationIps: istio.security.IAddress[];

            /** Match notDestinationIps. */
            public notDestinationIps: istio.security.IAddress[];

            /** Match destinationPorts. */
            public destinationPorts: number[];

            /** Match notDestinationPorts. */
            public notDestinationPorts: number[];

            /** Match serviceAccounts. */
            public serviceAccounts: istio.security.IServiceAccountMatch[];

            /** Match notServiceAccounts. */
            public notServiceAccounts: istio.security.IServiceAccountMatch[];

            /** Match extensions. */
            public extensions: istio.workload.IExtension[];

            /**
             * Encodes the specified Match message. Does not implicitly {@link istio.security.Match.verify|verify} messages.
             * @param message Match message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.security.IMatch, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Match message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Match
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.security.Match;
        }

        /** Properties of an Address. */
        interface IAddress {

            /** Address address */
            address?: (Uint8Array|null);

            /** Address length */
            length?: (number|null);
        }

        /** Represents an Address. */
        class Address implements IAddress {

            /**
             * Constructs a new Address.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.security.IAddress);

            /** Address address. */
            public address: Uint8Array;

            /** Address length. */
            public length: number;

            /**
             * Encodes the specified Address message. Does not implicitly {@link istio.security.Address.verify|verify} messages.
             * @param message Address message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.security.IAddress, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Address message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Address
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.security.Address;
        }

        /** Properties of a ServiceAccountMatch. */
        interface IServiceAccountMatch {

            /** ServiceAccountMatch namespace */
            namespace?: (string|null);

            /** ServiceAccountMatch serviceAccount */
            serviceAccount?: (string|null);
        }

        /** Represents a ServiceAccountMatch. */
        class ServiceAccountMatch implements IServiceAccountMatch {

            /**
             * Constructs a new ServiceAccountMatch.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.security.IServiceAccountMatch);

            /** ServiceAccountMatch namespace. */
            public namespace: string;

            /** ServiceAccountMatch serviceAccount. */
            public serviceAccount: string;

            /**
             * Encodes the specified ServiceAccountMatch message. Does not implicitly {@link istio.security.ServiceAccountMatch.verify|verify} messages.
             * @param message ServiceAccountMatch message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.security.IServiceAccountMatch, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ServiceAccountMatch message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns ServiceAccountMatch
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.security.ServiceAccountMatch;
        }

        /** Properties of a StringMatch. */
        interface IStringMatch {

            /** StringMatch exact */
            exact?: (string|null);

            /** StringMatch prefix */
            prefix?: (string|null);

            /** StringMatch suffix */
            suffix?: (string|null);

            /** StringMatch presence */
            presence?: (google.protobuf.IEmpty|null);
        }

        /** Represents a StringMatch. */
        class StringMatch implements IStringMatch {

            /**
             * Constructs a new StringMatch.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.security.IStringMatch);

            /** StringMatch exact. */
            public exact?: (string|null);

            /** StringMatch prefix. */
            public prefix?: (string|null);

            /** StringMatch suffix. */
            public suffix?: (string|null);

            /** StringMatch presence. */
            public presence?: (google.protobuf.IEmpty|null);

            /** StringMatch matchType. */
            public matchType?: ("exact"|"prefix"|"suffix"|"presence");

            /**
             * Encodes the specified StringMatch message. Does not implicitly {@link istio.security.StringMatch.verify|verify} messages.
             * @param message StringMatch message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.security.IStringMatch, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StringMatch message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns StringMatch
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.security.StringMatch;
        }
    }

    /** Namespace workload. */
    namespace workload {

        /** Properties of an Address. */
        interface IAddress {

            /** Address workload */
            workload?: (istio.workload.IWorkload|null);

            /** Address service */
            service?: (istio.workload.IService|null);
        }

        /** Represents an Address. */
        class Address implements IAddress {

            /**
             * Constructs a new Address.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.IAddress);

            /** Address workload. */
            public workload?: (istio.workload.IWorkload|null);

            /** Address service. */
            public service?: (istio.workload.IService|null);

            /** Address type. */
            public type?: ("workload"|"service");

            /**
             * Encodes the specified Address message. Does not implicitly {@link istio.workload.Address.verify|verify} messages.
             * @param message Address message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.IAddress, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Address message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Address
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.Address;
        }

        /** Properties of a Service. */
        interface IService {

            /** Service name */
            name?: (string|null);

            /** Service namespace */
            namespace?: (string|null);

            /** Service hostname */
            hostname?: (string|null);

            /** Service addresses */
            addresses?: (istio.workload.INetworkAddress[]|null);

            /** Service ports */
            ports?: (istio.workload.IPort[]|null);

            /** Service subjectAltNames */
            subjectAltNames?: (string[]|null);

            /** Service waypoint */
            waypoint?: (istio.workload.IGatewayAddress|null);

            /** Service loadBalancing */
            loadBalancing?: (istio.workload.ILoadBalancing|null);

            /** Service ipFamilies */
            ipFamilies?: (istio.workload.IPFamilies|null);

            /** Service extensions */
            extensions?: (istio.workload.IExtension[]|null);

            /** Service canonical */
            canonical?: (boolean|null);

            /** Service ingressUseWaypoint */
            ingressUseWaypoint?: (boolean|null);

            /** Service weightedWaypoints */
            weightedWaypoints?: (istio.workload.IWeightedWaypoint[]|null);

            /** Service visibility */
            visibility?: (istio.workload.Service.Visibility|null);
        }

        /** Represents a Service. */
        class Service implements IService {

            /**
             * Constructs a new Service.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.IService);

            /** Service name. */
            public name: string;

            /** Service namespace. */
            public namespace: string;

            /** Service hostname. */
            public hostname: string;

            /** Service addresses. */
            public addresses: istio.workload.INetworkAddress[];

            /** Service ports. */
            public ports: istio.workload.IPort[];

            /** Service subjectAltNames. */
            public subjectAltNames: string[];

            /** Service waypoint. */
            public waypoint?: (istio.workload.IGatewayAddress|null);

            /** Service loadBalancing. */
            public loadBalancing?: (istio.workload.ILoadBalancing|null);

            /** Service ipFamilies. */
            public ipFamilies: istio.workload.IPFamilies;

            /** Service extensions. */
            public extensions: istio.workload.IExtension[];

            /** Service canonical. */
            public canonical: boolean;

            /** Service ingressUseWaypoint. */
            public ingressUseWaypoint: boolean;

            /** Service weightedWaypoints. */
            public weightedWaypoints: istio.workload.IWeightedWaypoint[];

            /** Service visibility. */
            public visibility: istio.workload.Service.Visibility;

            /**
             * Encodes the specified Service message. Does not implicitly {@link istio.workload.Service.verify|verify} messages.
             * @param message Service message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.IService, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Service message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Service
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.Service;
        }

        namespace Service {

            /** Visibility enum. */
            enum Visibility {
                PUBLIC = 0,
                NAMESPACE = 1
            }
        }

        /** IPFamilies enum. */
        enum IPFamilies {
            AUTOMATIC = 0,
            IPV4_ONLY = 1,
            IPV6_ONLY = 2,
            DUAL = 3
        }

        /** NetworkMode enum. */
        enum NetworkMode {
            STANDARD = 0,
            HOST_NETWORK = 1
        }

        /** Properties of a LoadBalancing. */
        interface ILoadBalancing {

            /** LoadBalancing routingPreference */
            routingPreference?: (istio.workload.LoadBalancing.Scope[]|null);

            /** LoadBalancing mode */
            mode?: (istio.workload.LoadBalancing.Mode|null);

            /** LoadBalancing healthPolicy */
            healthPolicy?: (istio.workload.LoadBalancing.HealthPolicy|null);
        }

        /** Represents a LoadBalancing. */
        class LoadBalancing implements ILoadBalancing {

            /**
             * Constructs a new LoadBalancing.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.ILoadBalancing);

            /** LoadBalancing routingPreference. */
            public routingPreference: istio.workload.LoadBalancing.Scope[];

            /** LoadBalancing mode. */
            public mode: istio.workload.LoadBalancing.Mode;

            /** LoadBalancing healthPolicy. */
            public healthPolicy: istio.workload.LoadBalancing.HealthPolicy;

            /**
             * Encodes the specified LoadBalancing message. Does not implicitly {@link istio.workload.LoadBalancing.verify|verify} messages.
             * @param message LoadBalancing message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.ILoadBalancing, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a LoadBalancing message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns LoadBalancing
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.LoadBalancing;
        }

        namespace LoadBalancing {

            /** Scope enum. */
            enum Scope {
                UNSPECIFIED_SCOPE = 0,
                REGION = 1,
                ZONE = 2,
                SUBZONE = 3,
                NODE = 4,
                CLUSTER = 5,
                NETWORK = 6
            }

            /** Mode enum. */
            enum Mode {
                UNSPECIFIED_MODE = 0,
                STRICT = 1,
                FAILOVER = 2,
                PASSTHROUGH = 3
            }

            /** HealthPolicy enum. */
            enum HealthPolicy {
                ONLY_HEALTHY = 0,
                ALLOW_ALL = 1
            }
        }

        /** Properties of a Workload. */
        interface IWorkload {

            /** Workload name */
            name?: (string|null);

            /** Workload namespace */
            namespace?: (string|null);

            /** Workload addresses */
            addresses?: (Uint8Array[]|null);

            /** Workload network */
            network?: (string|null);

            /** Workload tunnelProtocol */
            tunnelProtocol?: (istio.workload.TunnelProtocol|null);

            /** Workload trustDomain */
            trustDomain?: (string|null);

            /** Workload serviceAccount */
            serviceAccount?: (string|null);

            /** Workload waypoint */
            waypoint?: (istio.workload.IGatewayAddress|null);

            /** Workload node */
            node?: (string|null);

            /** Workload canonicalName */
            canonicalName?: (string|null);

            /** Workload canonicalRevision */
            canonicalRevision?: (string|null);

            /** Workload workloadType */
            workloadType?: (istio.workload.WorkloadType|null);

            /** Workload workloadName */
            workloadName?: (string|null);

            /** Workload nativeTunnel */
            nativeTunnel?: (boolean|null);

            /** Workload authorizationPolicies */
            authorizationPolicies?: (string[]|null);

            /** Workload status */
            status?: (istio.workload.WorkloadStatus|null);

            /** Workload clusterId */
            clusterId?: (string|null);

            /** Workload networkGateway */
            networkGateway?: (istio.workload.IGatewayAddress|null);

            /** Workload uid */
            uid?: (string|null);

            /** Workload hostname */
            hostname?: (string|null);

            /** Workload services */
            services?: ({ [k: string]: istio.workload.IPortList }|null);

            /** Workload applicationTunnel */
            applicationTunnel?: (istio.workload.IApplicationTunnel|null);

            /** Workload locality */
            locality?: (istio.workload.ILocality|null);

            /** Workload networkMode */
            networkMode?: (istio.workload.NetworkMode|null);

            /** Workload extensions */
            extensions?: (istio.workload.IExtension[]|null);

            /** Workload capacity */
            capacity?: (google.protobuf.IUInt32Value|null);
        }

        /** Represents a Workload. */
        class Workload implements IWorkload {

            /**
             * Constructs a new Workload.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.IWorkload);

            /** Workload name. */
            public name: string;

            /** Workload namespace. */
            public namespace: string;

            /** Workload addresses. */
            public addresses: Uint8Array[];

            /** Workload network. */
            public network: string;

            /** Workload tunnelProtocol. */
            public tunnelProtocol: istio.workload.TunnelProtocol;

            /** Workload trustDomain. */
            public trustDomain: string;

            /** Workload serviceAccount. */
            public serviceAccount: string;

            /** Workload waypoint. */
            public waypoint?: (istio.workload.IGatewayAddress|null);

            /** Workload node. */
            public node: string;

            /** Workload canonicalName. */
            public canonicalName: string;

            /** Workload canonicalRevision. */
            public canonicalRevision: string;

            /** Workload workloadType. */
            public workloadType: istio.workload.WorkloadType;

            /** Workload workloadName. */
            public workloadName: string;

            /** Workload nativeTunnel. */
            public nativeTunnel: boolean;

            /** Workload authorizationPolicies. */
            public authorizationPolicies: string[];

            /** Workload status. */
            public status: istio.workload.WorkloadStatus;

            /** Workload clusterId. */
            public clusterId: string;

            /** Workload networkGateway. */
            public networkGateway?: (istio.workload.IGatewayAddress|null);

            /** Workload uid. */
            public uid: string;

            /** Workload hostname. */
            public hostname: string;

            /** Workload services. */
            public services: { [k: string]: istio.workload.IPortList };

            /** Workload applicationTunnel. */
            public applicationTunnel?: (istio.workload.IApplicationTunnel|null);

            /** Workload locality. */
            public locality?: (istio.workload.ILocality|null);

            /** Workload networkMode. */
            public networkMode: istio.workload.NetworkMode;

            /** Workload extensions. */
            public extensions: istio.workload.IExtension[];

            /** Workload capacity. */
            public capacity?: (google.protobuf.IUInt32Value|null);

            /**
             * Encodes the specified Workload message. Does not implicitly {@link istio.workload.Workload.verify|verify} messages.
             * @param message Workload message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.IWorkload, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Workload message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Workload
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.Workload;
        }

        /** Properties of a Locality. */
        interface ILocality {

            /** Locality region */
            region?: (string|null);

            /** Locality zone */
            zone?: (string|null);

            /** Locality subzone */
            subzone?: (string|null);
        }

        /** Represents a Locality. */
        class Locality implements ILocality {

            /**
             * Constructs a new Locality.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.ILocality);

            /** Locality region. */
            public region: string;

            /** Locality zone. */
            public zone: string;

            /** Locality subzone. */
            public subzone: string;

            /**
             * Encodes the specified Locality message. Does not implicitly {@link istio.workload.Locality.verify|verify} messages.
             * @param message Locality message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.ILocality, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Locality message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Locality
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.Locality;
        }

        /** WorkloadStatus enum. */
        enum WorkloadStatus {
            HEALTHY = 0,
            UNHEALTHY = 1
        }

        /** WorkloadType enum. */
        enum WorkloadType {
            DEPLOYMENT = 0,
            CRONJOB = 1,
            POD = 2,
            JOB = 3
        }

        /** Properties of a PortList. */
        interface IPortList {

            /** PortList ports */
            ports?: (istio.workload.IPort[]|null);
        }

        /** Represents a PortList. */
        class PortList implements IPortList {

            /**
             * Constructs a new PortList.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.IPortList);

            /** PortList ports. */
            public ports: istio.workload.IPort[];

            /**
             * Encodes the specified PortList message. Does not implicitly {@link istio.workload.PortList.verify|verify} messages.
             * @param message PortList message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.IPortList, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a PortList message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns PortList
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.PortList;
        }

        /** Properties of a Port. */
        interface IPort {

            /** Port servicePort */
            servicePort?: (number|null);

            /** Port targetPort */
            targetPort?: (number|null);

            /** Port appProtocol */
            appProtocol?: (istio.workload.AppProtocol|null);
        }

        /** Represents a Port. */
        class Port implements IPort {

            /**
             * Constructs a new Port.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.IPort);

            /** Port servicePort. */
            public servicePort: number;

            /** Port targetPort. */
            public targetPort: number;

            /** Port appProtocol. */
            public appProtocol: istio.workload.AppProtocol;

            /**
             * Encodes the specified Port message. Does not implicitly {@link istio.workload.Port.verify|verify} messages.
             * @param message Port message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.IPort, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Port message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Port
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.Port;
        }

        /** AppProtocol enum. */
        enum AppProtocol {
            UNKNOWN = 0,
            HTTP11 = 1,
            HTTP2 = 2,
            GRPC = 3,
            TCP = 4,
            TLS = 5
        }

        /** TunnelProtocol enum. */
        enum TunnelProtocol {
            NONE = 0,
            HBONE = 1,
            LEGACY_ISTIO_MTLS = 2
        }

        /** Properties of an ApplicationTunnel. */
        interface IApplicationTunnel {

            /** ApplicationTunnel protocol */
            protocol?: (istio.workload.ApplicationTunnel.Protocol|null);

            /** ApplicationTunnel port */
            port?: (number|null);
        }

        /** Represents an ApplicationTunnel. */
        class ApplicationTunnel implements IApplicationTunnel {

            /**
             * Constructs a new ApplicationTunnel.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.IApplicationTunnel);

            /** ApplicationTunnel protocol. */
            public protocol: istio.workload.ApplicationTunnel.Protocol;

            /** ApplicationTunnel port. */
            public port: number;

            /**
             * Encodes the specified ApplicationTunnel message. Does not implicitly {@link istio.workload.ApplicationTunnel.verify|verify} messages.
             * @param message ApplicationTunnel message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.IApplicationTunnel, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an ApplicationTunnel message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns ApplicationTunnel
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.ApplicationTunnel;
        }

        namespace ApplicationTunnel {

            /** Protocol enum. */
            enum Protocol {
                NONE = 0,
                PROXY = 1
            }
        }

        /** Properties of a GatewayAddress. */
        interface IGatewayAddress {

            /** GatewayAddress hostname */
            hostname?: (istio.workload.INamespacedHostname|null);

            /** GatewayAddress address */
            address?: (istio.workload.INetworkAddress|null);

            /** GatewayAddress hboneMtlsPort */
            hboneMtlsPort?: (number|null);
        }

        /** Represents a GatewayAddress. */
        class GatewayAddress implements IGatewayAddress {

            /**
             * Constructs a new GatewayAddress.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.IGatewayAddress);

            /** GatewayAddress hostname. */
            public hostname?: (istio.workload.INamespacedHostname|null);

            /** GatewayAddress address. */
            public address?: (istio.workload.INetworkAddress|null);

            /** GatewayAddress hboneMtlsPort. */
            public hboneMtlsPort: number;

            /** GatewayAddress destination. */
            public destination?: ("hostname"|"address");

            /**
             * Encodes the specified GatewayAddress message. Does not implicitly {@link istio.workload.GatewayAddress.verify|verify} messages.
             * @param message GatewayAddress message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.IGatewayAddress, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GatewayAddress message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns GatewayAddress
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.GatewayAddress;
        }

        /** Properties of a WeightedWaypoint. */
        interface IWeightedWaypoint {

            /** WeightedWaypoint destination */
            destination?: (istio.workload.IGatewayAddress|null);

            /** WeightedWaypoint weight */
            weight?: (number|null);
        }

        /** Represents a WeightedWaypoint. */
        class WeightedWaypoint implements IWeightedWaypoint {

            /**
             * Constructs a new WeightedWaypoint.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.IWeightedWaypoint);

            /** WeightedWaypoint destination. */
            public destination?: (istio.workload.IGatewayAddress|null);

            /** WeightedWaypoint weight. */
            public weight: number;

            /**
             * Encodes the specified WeightedWaypoint message. Does not implicitly {@link istio.workload.WeightedWaypoint.verify|verify} messages.
             * @param message WeightedWaypoint message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.IWeightedWaypoint, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WeightedWaypoint message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns WeightedWaypoint
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.WeightedWaypoint;
        }

        /** Properties of a NetworkAddress. */
        interface INetworkAddress {

            /** NetworkAddress network */
            network?: (string|null);

            /** NetworkAddress address */
            address?: (Uint8Array|null);

            /** NetworkAddress length */
            length?: (number|null);
        }

        /** Represents a NetworkAddress. */
        class NetworkAddress implements INetworkAddress {

            /**
             * Constructs a new NetworkAddress.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.INetworkAddress);

            /** NetworkAddress network. */
            public network: string;

            /** NetworkAddress address. */
            public address: Uint8Array;

            /** NetworkAddress length. */
            public length?: (number|null);

            /**
             * Encodes the specified NetworkAddress message. Does not implicitly {@link istio.workload.NetworkAddress.verify|verify} messages.
             * @param message NetworkAddress message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.INetworkAddress, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a NetworkAddress message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns NetworkAddress
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.NetworkAddress;
        }

        /** Properties of a NamespacedHostname. */
        interface INamespacedHostname {

            /** NamespacedHostname namespace */
            namespace?: (string|null);

            /** NamespacedHostname hostname */
            hostname?: (string|null);
        }

        /** Represents a NamespacedHostname. */
        class NamespacedHostname implements INamespacedHostname {

            /**
             * Constructs a new NamespacedHostname.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.INamespacedHostname);

            /** NamespacedHostname namespace. */
            public namespace: string;

            /** NamespacedHostname hostname. */
            public hostname: string;

            /**
             * Encodes the specified NamespacedHostname message. Does not implicitly {@link istio.workload.NamespacedHostname.verify|verify} messages.
             * @param message NamespacedHostname message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.INamespacedHostname, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a NamespacedHostname message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns NamespacedHostname
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.NamespacedHostname;
        }

        /** Properties of an Extension. */
        interface IExtension {

            /** Extension name */
            name?: (string|null);

            /** Extension config */
            config?: (google.protobuf.IAny|null);
        }

        /** Represents an Extension. */
        class Extension implements IExtension {

            /**
             * Constructs a new Extension.
             * @param [properties] Properties to set
             */
            constructor(properties?: istio.workload.IExtension);

            /** Extension name. */
            public name: string;

            /** Extension config. */
            public config?: (google.protobuf.IAny|null);

            /**
             * Encodes the specified Extension message. Does not implicitly {@link istio.workload.Extension.verify|verify} messages.
             * @param message Extension message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: istio.workload.IExtension, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Extension message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Extension
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.Extension;
        }

        /** Namespace zds. */
        namespace zds {

            /** Version enum. */
            enum Version {
                NOT_USED = 0,
                V1 = 1
            }

            /** Properties of a ZdsHello. */
            interface IZdsHello {

                /** ZdsHello version */
                version?: (istio.workload.zds.Version|null);
            }

            /** Represents a ZdsHello. */
            class ZdsHello implements IZdsHello {

                /**
                 * Constructs a new ZdsHello.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.workload.zds.IZdsHello);

                /** ZdsHello version. */
                public version: istio.workload.zds.Version;

                /**
                 * Encodes the specified ZdsHello message. Does not implicitly {@link istio.workload.zds.ZdsHello.verify|verify} messages.
                 * @param message ZdsHello message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.workload.zds.IZdsHello, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ZdsHello message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns ZdsHello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.zds.ZdsHello;
            }

            /** Properties of a WorkloadInfo. */
            interface IWorkloadInfo {

                /** WorkloadInfo name */
                name?: (string|null);

                /** WorkloadInfo namespace */
                namespace?: (string|null);

                /** WorkloadInfo serviceAccount */
                serviceAccount?: (string|null);
            }

            /** Represents a WorkloadInfo. */
            class WorkloadInfo implements IWorkloadInfo {

                /**
                 * Constructs a new WorkloadInfo.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.workload.zds.IWorkloadInfo);

                /** WorkloadInfo name. */
                public name: string;

                /** WorkloadInfo namespace. */
                public namespace: string;

                /** WorkloadInfo serviceAccount. */
                public serviceAccount: string;

                /**
                 * Encodes the specified WorkloadInfo message. Does not implicitly {@link istio.workload.zds.WorkloadInfo.verify|verify} messages.
                 * @param message WorkloadInfo message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.workload.zds.IWorkloadInfo, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a WorkloadInfo message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns WorkloadInfo
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.zds.WorkloadInfo;
            }

            /** Properties of an AddWorkload. */
            interface IAddWorkload {

                /** AddWorkload uid */
                uid?: (string|null);

                /** AddWorkload workloadInfo */
                workloadInfo?: (istio.workload.zds.IWorkloadInfo|null);
            }

            /** Represents an AddWorkload. */
            class AddWorkload implements IAddWorkload {

                /**
                 * Constructs a new AddWorkload.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.workload.zds.IAddWorkload);

                /** AddWorkload uid. */
                public uid: string;

                /** AddWorkload workloadInfo. */
                public workloadInfo?: (istio.workload.zds.IWorkloadInfo|null);

                /**
                 * Encodes the specified AddWorkload message. Does not implicitly {@link istio.workload.zds.AddWorkload.verify|verify} messages.
                 * @param message AddWorkload message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.workload.zds.IAddWorkload, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AddWorkload message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns AddWorkload
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.zds.AddWorkload;
            }

            /** Properties of a KeepWorkload. */
            interface IKeepWorkload {

                /** KeepWorkload uid */
                uid?: (string|null);
            }

            /** Represents a KeepWorkload. */
            class KeepWorkload implements IKeepWorkload {

                /**
                 * Constructs a new KeepWorkload.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.workload.zds.IKeepWorkload);

                /** KeepWorkload uid. */
                public uid: string;

                /**
                 * Encodes the specified KeepWorkload message. Does not implicitly {@link istio.workload.zds.KeepWorkload.verify|verify} messages.
                 * @param message KeepWorkload message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.workload.zds.IKeepWorkload, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a KeepWorkload message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns KeepWorkload
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.zds.KeepWorkload;
            }

            /** Properties of a DelWorkload. */
            interface IDelWorkload {

                /** DelWorkload uid */
                uid?: (string|null);
            }

            /** Represents a DelWorkload. */
            class DelWorkload implements IDelWorkload {

                /**
                 * Constructs a new DelWorkload.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.workload.zds.IDelWorkload);

                /** DelWorkload uid. */
                public uid: string;

                /**
                 * Encodes the specified DelWorkload message. Does not implicitly {@link istio.workload.zds.DelWorkload.verify|verify} messages.
                 * @param message DelWorkload message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.workload.zds.IDelWorkload, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DelWorkload message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns DelWorkload
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.zds.DelWorkload;
            }

            /** Properties of a SnapshotSent. */
            interface ISnapshotSent {
            }

            /** Represents a SnapshotSent. */
            class SnapshotSent implements ISnapshotSent {

                /**
                 * Constructs a new SnapshotSent.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.workload.zds.ISnapshotSent);

                /**
                 * Encodes the specified SnapshotSent message. Does not implicitly {@link istio.workload.zds.SnapshotSent.verify|verify} messages.
                 * @param message SnapshotSent message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.workload.zds.ISnapshotSent, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SnapshotSent message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns SnapshotSent
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.zds.SnapshotSent;
            }

            /** Properties of an Ack. */
            interface IAck {

                /** Ack error */
                error?: (string|null);
            }

            /** Represents an Ack. */
            class Ack implements IAck {

                /**
                 * Constructs a new Ack.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.workload.zds.IAck);

                /** Ack error. */
                public error: string;

                /**
                 * Encodes the specified Ack message. Does not implicitly {@link istio.workload.zds.Ack.verify|verify} messages.
                 * @param message Ack message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.workload.zds.IAck, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Ack message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns Ack
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.zds.Ack;
            }

            /** Properties of a WorkloadRequest. */
            interface IWorkloadRequest {

                /** WorkloadRequest add */
                add?: (istio.workload.zds.IAddWorkload|null);

                /** WorkloadRequest del */
                del?: (istio.workload.zds.IDelWorkload|null);

                /** WorkloadRequest snapshotSent */
                snapshotSent?: (istio.workload.zds.ISnapshotSent|null);

                /** WorkloadRequest keep */
                keep?: (istio.workload.zds.IKeepWorkload|null);
            }

            /** Represents a WorkloadRequest. */
            class WorkloadRequest implements IWorkloadRequest {

                /**
                 * Constructs a new WorkloadRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.workload.zds.IWorkloadRequest);

                /** WorkloadRequest add. */
                public add?: (istio.workload.zds.IAddWorkload|null);

                /** WorkloadRequest del. */
                public del?: (istio.workload.zds.IDelWorkload|null);

                /** WorkloadRequest snapshotSent. */
                public snapshotSent?: (istio.workload.zds.ISnapshotSent|null);

                /** WorkloadRequest keep. */
                public keep?: (istio.workload.zds.IKeepWorkload|null);

                /** WorkloadRequest payload. */
                public payload?: ("add"|"del"|"snapshotSent"|"keep");

                /**
                 * Encodes the specified WorkloadRequest message. Does not implicitly {@link istio.workload.zds.WorkloadRequest.verify|verify} messages.
                 * @param message WorkloadRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.workload.zds.IWorkloadRequest, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a WorkloadRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns WorkloadRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.zds.WorkloadRequest;
            }

            /** Properties of a WorkloadResponse. */
            interface IWorkloadResponse {

                /** WorkloadResponse ack */
                ack?: (istio.workload.zds.IAck|null);
            }

            /** Represents a WorkloadResponse. */
            class WorkloadResponse implements IWorkloadResponse {

                /**
                 * Constructs a new WorkloadResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.workload.zds.IWorkloadResponse);

                /** WorkloadResponse ack. */
                public ack?: (istio.workload.zds.IAck|null);

                /** WorkloadResponse payload. */
                public payload?: "ack";

                /**
                 * Encodes the specified WorkloadResponse message. Does not implicitly {@link istio.workload.zds.WorkloadResponse.verify|verify} messages.
                 * @param message WorkloadResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.workload.zds.IWorkloadResponse, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a WorkloadResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns WorkloadResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.workload.zds.WorkloadResponse;
            }
        }
    }

    /** Namespace v1. */
    namespace v1 {

        /** Namespace auth. */
        namespace auth {

            /** Properties of an IstioCertificateRequest. */
            interface IIstioCertificateRequest {

                /** IstioCertificateRequest csr */
                csr?: (string|null);

                /** IstioCertificateRequest validityDuration */
                validityDuration?: (number|null);

                /** IstioCertificateRequest metadata */
                metadata?: (google.protobuf.IStruct|null);
            }

            /** Represents an IstioCertificateRequest. */
            class IstioCertificateRequest implements IIstioCertificateRequest {

                /**
                 * Constructs a new IstioCertificateRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.v1.auth.IIstioCertificateRequest);

                /** IstioCertificateRequest csr. */
                public csr: string;

                /** IstioCertificateRequest validityDuration. */
                public validityDuration: number;

                /** IstioCertificateRequest metadata. */
                public metadata?: (google.protobuf.IStruct|null);

                /**
                 * Encodes the specified IstioCertificateRequest message. Does not implicitly {@link istio.v1.auth.IstioCertificateRequest.verify|verify} messages.
                 * @param message IstioCertificateRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.v1.auth.IIstioCertificateRequest, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an IstioCertificateRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns IstioCertificateRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.v1.auth.IstioCertificateRequest;
            }

            /** Properties of an IstioCertificateResponse. */
            interface IIstioCertificateResponse {

                /** IstioCertificateResponse certChain */
                certChain?: (string[]|null);
            }

            /** Represents an IstioCertificateResponse. */
            class IstioCertificateResponse implements IIstioCertificateResponse {

                /**
                 * Constructs a new IstioCertificateResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: istio.v1.auth.IIstioCertificateResponse);

                /** IstioCertificateResponse certChain. */
                public certChain: string[];

                /**
                 * Encodes the specified IstioCertificateResponse message. Does not implicitly {@link istio.v1.auth.IstioCertificateResponse.verify|verify} messages.
                 * @param message IstioCertificateResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                public static encode(message: istio.v1.auth.IIstioCertificateResponse, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an IstioCertificateResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns IstioCertificateResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): istio.v1.auth.IstioCertificateResponse;
            }
        }
    }
}

/** Namespace envoy. */
export namespace envoy {

    /** Namespace service. */
    namespace service {

        /** Namespace status. */
        namespace status {

            /** Namespace v3. */
            namespace v3 {

                /** ConfigStatus enum. */
                enum ConfigStatus {
                    UNKNOWN = 0,
                    SYNCED = 1,
                    NOT_SENT = 2,
                    STALE = 3,
                    ERROR = 4
                }

                /** Properties of a ClientConfig. */
                interface IClientConfig {

                    /** ClientConfig node */
                    node?: (envoy.config.core.v3.INode|null);

                    /** ClientConfig genericXdsConfigs */
                    genericXdsConfigs?: (envoy.service.status.v3.ClientConfig.IGenericXdsConfig[]|null);
                }

                /** Represents a ClientConfig. */
                class ClientConfig implements IClientConfig {

                    /**
                     * Constructs a new ClientConfig.
                     * @param [properties] Properties to set
                     */
                    constructor(properties?: envoy.service.status.v3.IClientConfig);

                    /** ClientConfig node. */
                    public node?: (envoy.config.core.v3.INode|null);

                    /** ClientConfig genericXdsConfigs. */
                    public genericXdsConfigs: envoy.service.status.v3.ClientConfig.IGenericXdsConfig[];

                    /**
                     * Encodes the specified ClientConfig message. Does not implicitly {@link envoy.service.status.v3.ClientConfig.verify|verify} messages.
                     * @param message ClientConfig message or plain object to encode
                     * @param [writer] Writer to encode to
                     * @returns Writer
                     */
                    public static encode(message: envoy.service.status.v3.IClientConfig, writer?: $protobuf.Writer): $protobuf.Writer;

                    /**
                     * Decodes a ClientConfig message from the specified reader or buffer.
                     * @param reader Reader or buffer to decode from
                     * @param [length] Message length if known beforehand
                     * @returns ClientConfig
                     * @throws {Error} If the payload is not a reader or valid buffer
                     * @throws {$protobuf.util.ProtocolError} If required fields are missing
                     */
                    public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): envoy.service.status.v3.ClientConfig;
                }

                namespace ClientConfig {

                    /** Properties of a GenericXdsConfig. */
                    interface IGenericXdsConfig {

                        /** GenericXdsConfig typeUrl */
                        typeUrl?: (string|null);

                        /** GenericXdsConfig configStatus */
                        configStatus?: (envoy.service.status.v3.ConfigStatus|null);
                    }

                    /** Represents a GenericXdsConfig. */
                    class GenericXdsConfig implements IGenericXdsConfig {

                        /**
                         * Constructs a new GenericXdsConfig.
                         * @param [properties] Properties to set
                         */
                        constructor(properties?: envoy.service.status.v3.ClientConfig.IGenericXdsConfig);

                        /** GenericXdsConfig typeUrl. */
                        public typeUrl: string;

                        /** GenericXdsConfig configStatus. */
                        public configStatus: envoy.service.status.v3.ConfigStatus;

                        /**
                         * Encodes the specified GenericXdsConfig message. Does not implicitly {@link envoy.service.status.v3.ClientConfig.GenericXdsConfig.verify|verify} messages.
                         * @param message GenericXdsConfig message or plain object to encode
                         * @param [writer] Writer to encode to
                         * @returns Writer
                         */
                        public static encode(message: envoy.service.status.v3.ClientConfig.IGenericXdsConfig, writer?: $protobuf.Writer): $protobuf.Writer;

                        /**
                         * Decodes a GenericXdsConfig message from the specified reader or buffer.
                         * @param reader Reader or buffer to decode from
                         * @param [length] Message length if known beforehand
                         * @returns GenericXdsConfig
                         * @throws {Error} If the payload is not a reader or valid buffer
                         * @throws {$protobuf.util.ProtocolError} If required fields are missing
                         */
                        public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): envoy.service.status.v3.ClientConfig.GenericXdsConfig;
                    }
                }
            }
        }

        /** Namespace discovery. */
        namespace discovery {

            /** Namespace v3. */
            namespace v3 {

                /** Properties of a DeltaDiscoveryRequest. */
                interface IDeltaDiscoveryRequest {

                    /** DeltaDiscoveryRequest node */
                    node?: (envoy.config.core.v3.INode|null);

                    /** DeltaDiscoveryRequest typeUrl */
                    typeUrl?: (string|null);

                    /** DeltaDiscoveryRequest resourceNamesSubscribe */
                    resourceNamesSubscribe?: (string[]|null);

                    /** DeltaDiscoveryRequest resourceNamesUnsubscribe */
                    resourceNamesUnsubscribe?: (string[]|null);

                    /** DeltaDiscoveryRequest initialResourceVersions */
                    initialResourceVersions?: ({ [k: string]: string }|null);

                    /** DeltaDiscoveryRequest responseNonce */
                    responseNonce?: (string|null);

                    /** DeltaDiscoveryRequest errorDetail */
                    errorDetail?: (google.rpc.IStatus|null);
                }

                /** Represents a DeltaDiscoveryRequest. */
                class DeltaDiscoveryRequest implements IDeltaDiscoveryRequest {

                    /**
                     * Constructs a new DeltaDiscoveryRequest.
                     * @param [properties] Properties to set
                     */
                    constructor(properties?: envoy.service.discovery.v3.IDeltaDiscoveryRequest);

                    /** DeltaDiscoveryRequest node. */
                    public node?: (envoy.config.core.v3.INode|null);

                    /** DeltaDiscoveryRequest typeUrl. */
                    public typeUrl: string;

                    /** DeltaDiscoveryRequest resourceNamesSubscribe. */
                    public resourceNamesSubscribe: string[];

                    /** DeltaDiscoveryRequest resourceNamesUnsubscribe. */
                    public resourceNamesUnsubscribe: string[];

                    /** DeltaDiscoveryRequest initialResourceVersions. */
                    public initialResourceVersions: { [k: string]: string };

                    /** DeltaDiscoveryRequest responseNonce. */
                    public responseNonce: string;

                    /** DeltaDiscoveryRequest errorDetail. */
                    public errorDetail?: (google.rpc.IStatus|null);

                    /**
                     * Encodes the specified DeltaDiscoveryRequest message. Does not implicitly {@link envoy.service.discovery.v3.DeltaDiscoveryRequest.verify|verify} messages.
                     * @param message DeltaDiscoveryRequest message or plain object to encode
                     * @param [writer] Writer to encode to
                     * @returns Writer
                     */
                    public static encode(message: envoy.service.discovery.v3.IDeltaDiscoveryRequest, writer?: $protobuf.Writer): $protobuf.Writer;

                    /**
                     * Decodes a DeltaDiscoveryRequest message from the specified reader or buffer.
                     * @param reader Reader or buffer to decode from
                     * @param [length] Message length if known beforehand
                     * @returns DeltaDiscoveryRequest
                     * @throws {Error} If the payload is not a reader or valid buffer
                     * @throws {$protobuf.util.ProtocolError} If required fields are missing
                     */
                    public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): envoy.service.discovery.v3.DeltaDiscoveryRequest;
                }

                /** Properties of a DeltaDiscoveryResponse. */
                interface IDeltaDiscoveryResponse {

                    /** DeltaDiscoveryResponse systemVersionInfo */
                    systemVersionInfo?: (string|null);

                    /** DeltaDiscoveryResponse resources */
                    resources?: (envoy.service.discovery.v3.IResource[]|null);

                    /** DeltaDiscoveryResponse typeUrl */
                    typeUrl?: (string|null);

                    /** DeltaDiscoveryResponse nonce */
                    nonce?: (string|null);

                    /** DeltaDiscoveryResponse removedResources */
                    removedResources?: (string[]|null);
                }

                /** Represents a DeltaDiscoveryResponse. */
                class DeltaDiscoveryResponse implements IDeltaDiscoveryResponse {

                    /**
                     * Constructs a new DeltaDiscoveryResponse.
                     * @param [properties] Properties to set
                     */
                    constructor(properties?: envoy.service.discovery.v3.IDeltaDiscoveryResponse);

                    /** DeltaDiscoveryResponse systemVersionInfo. */
                    public systemVersionInfo: string;

                    /** DeltaDiscoveryResponse resources. */
                    public resources: envoy.service.discovery.v3.IResource[];

                    /** DeltaDiscoveryResponse typeUrl. */
                    public typeUrl: string;

                    /** DeltaDiscoveryResponse nonce. */
                    public nonce: string;

                    /** DeltaDiscoveryResponse removedResources. */
                    public removedResources: string[];

                    /**
                     * Encodes the specified DeltaDiscoveryResponse message. Does not implicitly {@link envoy.service.discovery.v3.DeltaDiscoveryResponse.verify|verify} messages.
                     * @param message DeltaDiscoveryResponse message or plain object to encode
                     * @param [writer] Writer to encode to
                     * @returns Writer
                     */
                    public static encode(message: envoy.service.discovery.v3.IDeltaDiscoveryResponse, writer?: $protobuf.Writer): $protobuf.Writer;

                    /**
                     * Decodes a DeltaDiscoveryResponse message from the specified reader or buffer.
                     * @param reader Reader or buffer to decode from
                     * @param [length] Message length if known beforehand
                     * @returns DeltaDiscoveryResponse
                     * @throws {Error} If the payload is not a reader or valid buffer
                     * @throws {$protobuf.util.ProtocolError} If required fields are missing
                     */
                    public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): envoy.service.discovery.v3.DeltaDiscoveryResponse;
                }

                /** Properties of a Resource. */
                interface IResource {

                    /** Resource version */
                    version?: (string|null);

                    /** Resource resource */
                    resource?: (google.protobuf.IAny|null);

                    /** Resource name */
                    name?: (string|null);

                    /** Resource aliases */
                    aliases?: (string[]|null);

                    /** Resource ttl */
                    ttl?: (google.protobuf.IDuration|null);
                }

                /** Represents a Resource. */
                class Resource implements IResource {

                    /**
                     * Constructs a new Resource.
                     * @param [properties] Properties to set
                     */
                    constructor(properties?: envoy.service.discovery.v3.IResource);

                    /** Resource version. */
                    public version: string;

                    /** Resource resource. */
                    public resource?: (google.protobuf.IAny|null);

                    /** Resource name. */
                    public name: string;

                    /** Resource aliases. */
                    public aliases: string[];

                    /** Resource ttl. */
                    public ttl?: (google.protobuf.IDuration|null);

                    /**
                     * Encodes the specified Resource message. Does not implicitly {@link envoy.service.discovery.v3.Resource.verify|verify} messages.
                     * @param message Resource message or plain object to encode
                     * @param [writer] Writer to encode to
                     * @returns Writer
                     */
                    public static encode(message: envoy.service.discovery.v3.IResource, writer?: $protobuf.Writer): $protobuf.Writer;

                    /**
                     * Decodes a Resource message from the specified reader or buffer.
                     * @param reader Reader or buffer to decode from
                     * @param [length] Message length if known beforehand
                     * @returns Resource
                     * @throws {Error} If the payload is not a reader or valid buffer
                     * @throws {$protobuf.util.ProtocolError} If required fields are missing
                     */
                    public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): envoy.service.discovery.v3.Resource;
                }

                /** Properties of a DiscoveryRequest. */
                interface IDiscoveryRequest {

                    /** DiscoveryRequest versionInfo */
                    versionInfo?: (string|null);

                    /** DiscoveryRequest node */
                    node?: (envoy.config.core.v3.INode|null);

                    /** DiscoveryRequest resourceNames */
                    resourceNames?: (string[]|null);

                    /** DiscoveryRequest typeUrl */
                    typeUrl?: (string|null);

                    /** DiscoveryRequest responseNonce */
                    responseNonce?: (string|null);

                    /** DiscoveryRequest errorDetail */
                    errorDetail?: (google.rpc.IStatus|null);
                }

                /** Represents a DiscoveryRequest. */
                class DiscoveryRequest implements IDiscoveryRequest {

                    /**
                     * Constructs a new DiscoveryRequest.
                     * @param [properties] Properties to set
                     */
                    constructor(properties?: envoy.service.discovery.v3.IDiscoveryRequest);

                    /** DiscoveryRequest versionInfo. */
                    public versionInfo: string;

                    /** DiscoveryRequest node. */
                    public node?: (envoy.config.core.v3.INode|null);

                    /** DiscoveryRequest resourceNames. */
                    public resourceNames: string[];

                    /** DiscoveryRequest typeUrl. */
                    public typeUrl: string;

                    /** DiscoveryRequest responseNonce. */
                    public responseNonce: string;

                    /** DiscoveryRequest errorDetail. */
                    public errorDetail?: (google.rpc.IStatus|null);

                    /**
                     * Encodes the specified DiscoveryRequest message. Does not implicitly {@link envoy.service.discovery.v3.DiscoveryRequest.verify|verify} messages.
                     * @param message DiscoveryRequest message or plain object to encode
                     * @param [writer] Writer to encode to
                     * @returns Writer
                     */
                    public static encode(message: envoy.service.discovery.v3.IDiscoveryRequest, writer?: $protobuf.Writer): $protobuf.Writer;

                    /**
                     * Decodes a DiscoveryRequest message from the specified reader or buffer.
                     * @param reader Reader or buffer to decode from
                     * @param [length] Message length if known beforehand
                     * @returns DiscoveryRequest
                     * @throws {Error} If the payload is not a reader or valid buffer
                     * @throws {$protobuf.util.ProtocolError} If required fields are missing
                     */
                    public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): envoy.service.discovery.v3.DiscoveryRequest;
                }

                /** Properties of a DiscoveryResponse. */
                interface IDiscoveryResponse {

                    /** DiscoveryResponse versionInfo */
                    versionInfo?: (string|null);

                    /** DiscoveryResponse resources */
                    resources?: (google.protobuf.IAny[]|null);

                    /** DiscoveryResponse typeUrl */
                    typeUrl?: (string|null);

                    /** DiscoveryResponse nonce */
                    nonce?: (string|null);

                    /** DiscoveryResponse controlPlane */
                    controlPlane?: (envoy.config.core.v3.IControlPlane|null);
                }

                /** Represents a DiscoveryResponse. */
                class DiscoveryResponse implements IDiscoveryResponse {

                    /**
                     * Constructs a new DiscoveryResponse.
                     * @param [properties] Properties to set
                     */
                    constructor(properties?: envoy.service.discovery.v3.IDiscoveryResponse);

                    /** DiscoveryResponse versionInfo. */
                    public versionInfo: string;

                    /** DiscoveryResponse resources. */
                    public resources: google.protobuf.IAny[];

                    /** DiscoveryResponse typeUrl. */
                    public typeUrl: string;

                    /** DiscoveryResponse nonce. */
                    public nonce: string;

                    /** DiscoveryResponse controlPlane. */
                    public controlPlane?: (envoy.config.core.v3.IControlPlane|null);

                    /**
                     * Encodes the specified DiscoveryResponse message. Does not implicitly {@link envoy.service.discovery.v3.DiscoveryResponse.verify|verify} messages.
                     * @param message DiscoveryResponse message or plain object to encode
                     * @param [writer] Writer to encode to
                     * @returns Writer
                     */
                    public static encode(message: envoy.service.discovery.v3.IDiscoveryResponse, writer?: $protobuf.Writer): $protobuf.Writer;

                    /**
                     * Decodes a DiscoveryResponse message from the specified reader or buffer.
                     * @param reader Reader or buffer to decode from
                     * @param [length] Message length if known beforehand
                     * @returns DiscoveryResponse
                     * @throws {Error} If the payload is not a reader or valid buffer
                     * @throws {$protobuf.util.ProtocolError} If required fields are missing
                     */
                    public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): envoy.service.discovery.v3.DiscoveryResponse;
                }
            }
        }
    }

    /** Namespace config. */
    namespace config {

        /** Namespace core. */
        namespace core {

            /** Namespace v3. */
            namespace v3 {

                /** Properties of a Node. */
                interface INode {

                    /** Node id */
                    id?: (string|null);

                    /** Node cluster */
                    cluster?: (string|null);

                    /** Node metadata */
                    metadata?: (google.protobuf.IStruct|null);
                }

                /** Represents a Node. */
                class Node implements INode {

                    /**
                     * Constructs a new Node.
                     * @param [properties] Properties to set
                     */
                    constructor(properties?: envoy.config.core.v3.INode);

                    /** Node id. */
                    public id: string;

                    /** Node cluster. */
                    public cluster: string;

                    /** Node metadata. */
                    public metadata?: (google.protobuf.IStruct|null);

                    /**
                     * Encodes the specified Node message. Does not implicitly {@link envoy.config.core.v3.Node.verify|verify} messages.
                     * @param message Node message or plain object to encode
                     * @param [writer] Writer to encode to
                     * @returns Writer
                     */
                    public static encode(message: envoy.config.core.v3.INode, writer?: $protobuf.Writer): $protobuf.Writer;

                    /**
                     * Decodes a Node message from the specified reader or buffer.
                     * @param reader Reader or buffer to decode from
                     * @param [length] Message length if known beforehand
                     * @returns Node
                     * @throws {Error} If the payload is not a reader or valid buffer
                     * @throws {$protobuf.util.ProtocolError} If required fields are missing
                     */
                    public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): envoy.config.core.v3.Node;
                }

                /** Properties of a ControlPlane. */
                interface IControlPlane {

                    /** ControlPlane identifier */
                    identifier?: (string|null);
                }

                /** Represents a ControlPlane. */
                class ControlPlane implements IControlPlane {

                    /**
                     * Constructs a new ControlPlane.
                     * @param [properties] Properties to set
                     */
                    constructor(properties?: envoy.config.core.v3.IControlPlane);

                    /** ControlPlane identifier. */
                    public identifier: string;

                    /**
                     * Encodes the specified ControlPlane message. Does not implicitly {@link envoy.config.core.v3.ControlPlane.verify|verify} messages.
                     * @param message ControlPlane message or plain object to encode
                     * @param [writer] Writer to encode to
                     * @returns Writer
                     */
                    public static encode(message: envoy.config.core.v3.IControlPlane, writer?: $protobuf.Writer): $protobuf.Writer;

                    /**
                     * Decodes a ControlPlane message from the specified reader or buffer.
                     * @param reader Reader or buffer to decode from
                     * @param [length] Message length if known beforehand
                     * @returns ControlPlane
                     * @throws {Error} If the payload is not a reader or valid buffer
                     * @throws {$protobuf.util.ProtocolError} If required fields are missing
                     */
                    public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): envoy.config.core.v3.ControlPlane;
                }
            }
        }
    }
}

/** Namespace google. */
export namespace google {

    /** Namespace protobuf. */
    namespace protobuf {

        /** Properties of an Empty. */
        interface IEmpty {
        }

        /** Represents an Empty. */
        class Empty implements IEmpty {

            /**
             * Constructs a new Empty.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IEmpty);

            /**
             * Encodes the specified Empty message. Does not implicitly {@link google.protobuf.Empty.verify|verify} messages.
             * @param message Empty message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IEmpty, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Empty message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Empty
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Empty;
        }

        /** Properties of an Any. */
        interface IAny {

            /** Any type_url */
            type_url?: (string|null);

            /** Any value */
            value?: (Uint8Array|null);
        }

        /** Represents an Any. */
        class Any implements IAny {

            /**
             * Constructs a new Any.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IAny);

            /** Any type_url. */
            public type_url: string;

            /** Any value. */
            public value: Uint8Array;

            /**
             * Encodes the specified Any message. Does not implicitly {@link google.protobuf.Any.verify|verify} messages.
             * @param message Any message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IAny, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Any message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Any
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Any;
        }

        /** Properties of a DoubleValue. */
        interface IDoubleValue {

            /** DoubleValue value */
            value?: (number|null);
        }

        /** Represents a DoubleValue. */
        class DoubleValue implements IDoubleValue {

            /**
             * Constructs a new DoubleValue.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IDoubleValue);

            /** DoubleValue value. */
            public value: number;

            /**
             * Encodes the specified DoubleValue message. Does not implicitly {@link google.protobuf.DoubleValue.verify|verify} messages.
             * @param message DoubleValue message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IDoubleValue, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a DoubleValue message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns DoubleValue
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.DoubleValue;
        }

        /** Properties of a FloatValue. */
        interface IFloatValue {

            /** FloatValue value */
            value?: (number|null);
        }

        /** Represents a FloatValue. */
        class FloatValue implements IFloatValue {

            /**
             * Constructs a new FloatValue.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IFloatValue);

            /** FloatValue value. */
            public value: number;

            /**
             * Encodes the specified FloatValue message. Does not implicitly {@link google.protobuf.FloatValue.verify|verify} messages.
             * @param message FloatValue message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IFloatValue, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a FloatValue message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns FloatValue
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.FloatValue;
        }

        /** Properties of an Int64Value. */
        interface IInt64Value {

            /** Int64Value value */
            value?: (number|null);
        }

        /** Represents an Int64Value. */
        class Int64Value implements IInt64Value {

            /**
             * Constructs a new Int64Value.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IInt64Value);

            /** Int64Value value. */
            public value: number;

            /**
             * Encodes the specified Int64Value message. Does not implicitly {@link google.protobuf.Int64Value.verify|verify} messages.
             * @param message Int64Value message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IInt64Value, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Int64Value message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Int64Value
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Int64Value;
        }

        /** Properties of a UInt64Value. */
        interface IUInt64Value {

            /** UInt64Value value */
            value?: (number|null);
        }

        /** Represents a UInt64Value. */
        class UInt64Value implements IUInt64Value {

            /**
             * Constructs a new UInt64Value.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IUInt64Value);

            /** UInt64Value value. */
            public value: number;

            /**
             * Encodes the specified UInt64Value message. Does not implicitly {@link google.protobuf.UInt64Value.verify|verify} messages.
             * @param message UInt64Value message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IUInt64Value, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a UInt64Value message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns UInt64Value
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.UInt64Value;
        }

        /** Properties of an Int32Value. */
        interface IInt32Value {

            /** Int32Value value */
            value?: (number|null);
        }

        /** Represents an Int32Value. */
        class Int32Value implements IInt32Value {

            /**
             * Constructs a new Int32Value.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IInt32Value);

            /** Int32Value value. */
            public value: number;

            /**
             * Encodes the specified Int32Value message. Does not implicitly {@link google.protobuf.Int32Value.verify|verify} messages.
             * @param message Int32Value message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IInt32Value, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Int32Value message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Int32Value
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Int32Value;
        }

        /** Properties of a UInt32Value. */
        interface IUInt32Value {

            /** UInt32Value value */
            value?: (number|null);
        }

        /** Represents a UInt32Value. */
        class UInt32Value implements IUInt32Value {

            /**
             * Constructs a new UInt32Value.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IUInt32Value);

            /** UInt32Value value. */
            public value: number;

            /**
             * Encodes the specified UInt32Value message. Does not implicitly {@link google.protobuf.UInt32Value.verify|verify} messages.
             * @param message UInt32Value message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IUInt32Value, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a UInt32Value message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns UInt32Value
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.UInt32Value;
        }

        /** Properties of a BoolValue. */
        interface IBoolValue {

            /** BoolValue value */
            value?: (boolean|null);
        }

        /** Represents a BoolValue. */
        class BoolValue implements IBoolValue {

            /**
             * Constructs a new BoolValue.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IBoolValue);

            /** BoolValue value. */
            public value: boolean;

            /**
             * Encodes the specified BoolValue message. Does not implicitly {@link google.protobuf.BoolValue.verify|verify} messages.
             * @param message BoolValue message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IBoolValue, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a BoolValue message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns BoolValue
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.BoolValue;
        }

        /** Properties of a StringValue. */
        interface IStringValue {

            /** StringValue value */
            value?: (string|null);
        }

        /** Represents a StringValue. */
        class StringValue implements IStringValue {

            /**
             * Constructs a new StringValue.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IStringValue);

            /** StringValue value. */
            public value: string;

            /**
             * Encodes the specified StringValue message. Does not implicitly {@link google.protobuf.StringValue.verify|verify} messages.
             * @param message StringValue message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IStringValue, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StringValue message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns StringValue
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.StringValue;
        }

        /** Properties of a BytesValue. */
        interface IBytesValue {

            /** BytesValue value */
            value?: (Uint8Array|null);
        }

        /** Represents a BytesValue. */
        class BytesValue implements IBytesValue {

            /**
             * Constructs a new BytesValue.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IBytesValue);

            /** BytesValue value. */
            public value: Uint8Array;

            /**
             * Encodes the specified BytesValue message. Does not implicitly {@link google.protobuf.BytesValue.verify|verify} messages.
             * @param message BytesValue message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IBytesValue, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a BytesValue message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns BytesValue
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.BytesValue;
        }

        /** Properties of a Struct. */
        interface IStruct {

            /** Struct fields */
            fields?: ({ [k: string]: google.protobuf.IValue }|null);
        }

        /** Represents a Struct. */
        class Struct implements IStruct {

            /**
             * Constructs a new Struct.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IStruct);

            /** Struct fields. */
            public fields: { [k: string]: google.protobuf.IValue };

            /**
             * Encodes the specified Struct message. Does not implicitly {@link google.protobuf.Struct.verify|verify} messages.
             * @param message Struct message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IStruct, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Struct message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Struct
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Struct;
        }

        /** Properties of a Value. */
        interface IValue {

            /** Value nullValue */
            nullValue?: (google.protobuf.NullValue|null);

            /** Value numberValue */
            numberValue?: (number|null);

            /** Value stringValue */
            stringValue?: (string|null);

            /** Value boolValue */
            boolValue?: (boolean|null);

            /** Value structValue */
            structValue?: (google.protobuf.IStruct|null);

            /** Value listValue */
            listValue?: (google.protobuf.IListValue|null);
        }

        /** Represents a Value. */
        class Value implements IValue {

            /**
             * Constructs a new Value.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IValue);

            /** Value nullValue. */
            public nullValue?: (google.protobuf.NullValue|null);

            /** Value numberValue. */
            public numberValue?: (number|null);

            /** Value stringValue. */
            public stringValue?: (string|null);

            /** Value boolValue. */
            public boolValue?: (boolean|null);

            /** Value structValue. */
            public structValue?: (google.protobuf.IStruct|null);

            /** Value listValue. */
            public listValue?: (google.protobuf.IListValue|null);

            /** Value kind. */
            public kind?: ("nullValue"|"numberValue"|"stringValue"|"boolValue"|"structValue"|"listValue");

            /**
             * Encodes the specified Value message. Does not implicitly {@link google.protobuf.Value.verify|verify} messages.
             * @param message Value message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IValue, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Value message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Value
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Value;
        }

        /** NullValue enum. */
        enum NullValue {
            NULL_VALUE = 0
        }

        /** Properties of a ListValue. */
        interface IListValue {

            /** ListValue values */
            values?: (google.protobuf.IValue[]|null);
        }

        /** Represents a ListValue. */
        class ListValue implements IListValue {

            /**
             * Constructs a new ListValue.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IListValue);

            /** ListValue values. */
            public values: google.protobuf.IValue[];

            /**
             * Encodes the specified ListValue message. Does not implicitly {@link google.protobuf.ListValue.verify|verify} messages.
             * @param message ListValue message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IListValue, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListValue message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns ListValue
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.ListValue;
        }

        /** Properties of a Duration. */
        interface IDuration {

            /** Duration seconds */
            seconds?: (number|null);

            /** Duration nanos */
            nanos?: (number|null);
        }

        /** Represents a Duration. */
        class Duration implements IDuration {

            /**
             * Constructs a new Duration.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.protobuf.IDuration);

            /** Duration seconds. */
            public seconds: number;

            /** Duration nanos. */
            public nanos: number;

            /**
             * Encodes the specified Duration message. Does not implicitly {@link google.protobuf.Duration.verify|verify} messages.
             * @param message Duration message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.protobuf.IDuration, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Duration message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Duration
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.protobuf.Duration;
        }
    }

    /** Namespace rpc. */
    namespace rpc {

        /** Properties of a Status. */
        interface IStatus {

            /** Status code */
            code?: (number|null);

            /** Status message */
            message?: (string|null);
        }

        /** Represents a Status. */
        class Status implements IStatus {

            /**
             * Constructs a new Status.
             * @param [properties] Properties to set
             */
            constructor(properties?: google.rpc.IStatus);

            /** Status code. */
            public code: number;

            /** Status message. */
            public message: string;

            /**
             * Encodes the specified Status message. Does not implicitly {@link google.rpc.Status.verify|verify} messages.
             * @param message Status message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            public static encode(message: google.rpc.IStatus, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Status message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns Status
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            public static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): google.rpc.Status;
        }
    }
}
